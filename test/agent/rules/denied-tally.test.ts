import { expect, test } from 'vitest';
import { tallyDenied } from '../../../agent/rules/denied-tally.ts';

const target = 't0123456789abcdef';
const entry = (minute: number, detail: unknown, more: object = {}) => ({
  time: `2026-11-22T00:${String(minute).padStart(2, '0')}:00.000Z`,
  event: 'permission.denied',
  target,
  detail,
  ...more,
});

test('what the log tells is added up by class, with the last time', () => {
  const entries = [entry(1, { class: 'wan', count: 2 }), entry(2, { class: 'lan', count: 5 }), entry(3, { class: 'wan', count: 7 })];
  expect(tallyDenied(entries, target)).toEqual([
    { class: 'lan', count: 5, lastAt: '2026-11-22T00:02:00.000Z' },
    { class: 'wan', count: 9, lastAt: '2026-11-22T00:03:00.000Z' },
  ]);
});

test('other software, other events, and what is not understood are left out', () => {
  const entries = [
    entry(1, { class: 'lan', count: 5 }, { target: 'another0123456789' }),
    entry(1, { class: 'lan', count: 5 }, { event: 'app.started' }),
    entry(1, { kind: 'not-granted', class: 'lan', permissions: ['udp:3610'] }),
    entry(1, { class: 'a class of tomorrow', count: 5 }),
    entry(1, { class: 'constructor', count: 5 }),
    entry(1, { class: 'lan', count: 'many' }),
    entry(1, null),
  ];
  expect(tallyDenied(entries, target)).toEqual([]);
});

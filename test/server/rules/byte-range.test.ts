import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideRange } from '../../../server/rules/byte-range.ts';

const etag = '"a"';
const range = (text: string | undefined, bytes = 1000, ifRange?: string) => decideRange(text, ifRange, etag, bytes);

test.each([
  [undefined, { kind: 'whole' }],
  ['bytes=0-499', { kind: 'part', start: 0, end: 499 }],
  ['bytes=500-', { kind: 'part', start: 500, end: 999 }],
  ['bytes=999-999', { kind: 'part', start: 999, end: 999 }],
  ['bytes=0-5000', { kind: 'part', start: 0, end: 999 }],
  ['bytes=-1', { kind: 'part', start: 999, end: 999 }],
  ['bytes=-5000', { kind: 'part', start: 0, end: 999 }],
  ['bytes=-0', { kind: 'unsatisfiable' }],
  ['bytes=1000-', { kind: 'unsatisfiable' }],
  ['bytes=5-4', { kind: 'whole' }],
  ['bytes=-', { kind: 'whole' }],
  ['bytes=0-1,5-6', { kind: 'whole' }],
  ['items=0-1', { kind: 'whole' }],
  ['bytes=a-b', { kind: 'whole' }],
  ['bytes=99999999999999999999-', { kind: 'whole' }],
])('%s of 1,000 bytes', (text, expected) => {
  expect(range(text)).toEqual(expected);
});

test('If-Range: only the very same strong ETag lets the range count', () => {
  expect(range('bytes=5-', 1000, etag)).toEqual({ kind: 'part', start: 5, end: 999 });
  for (const other of ['"b"', 'W/"a"', 'Sun, 22 Nov 2026 00:00:00 GMT', ''])
    expect(range('bytes=5-', 1000, other)).toEqual({ kind: 'whole' });
});

test('whatever is asked, a part lies inside the file and is not empty', () => {
  const number = fc.oneof(fc.constant(''), fc.nat({ max: 2_000 }).map(String));
  fc.assert(
    fc.property(number, number, fc.integer({ min: 1, max: 1_500 }), (first, last, bytes) => {
      const decision = range(`bytes=${first}-${last}`, bytes);
      if (decision.kind !== 'part') return;
      expect(decision.start).toBeGreaterThanOrEqual(0);
      expect(decision.end).toBeGreaterThanOrEqual(decision.start);
      expect(decision.end).toBeLessThan(bytes);
    }),
  );
});

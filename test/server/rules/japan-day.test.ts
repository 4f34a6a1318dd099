import fc from 'fast-check';
import { expect, test } from 'vitest';
import { daysBetween, japanDay, lastEndedDay, untilDayEndMs } from '../../../server/rules/japan-day.ts';

test('a day in Japan ends at 15:00 UTC', () => {
  expect(japanDay(Date.parse('2026-04-30T14:59:59Z'))).toBe('2026-04-30');
  expect(japanDay(Date.parse('2026-04-30T15:00:00Z'))).toBe('2026-05-01');
  expect(lastEndedDay(Date.parse('2026-04-30T15:00:00Z'))).toBe('2026-04-30');
  expect(lastEndedDay(Date.parse('2026-03-01T00:00:00Z'))).toBe('2026-02-28');
  expect(untilDayEndMs(Date.parse('2026-04-30T14:59:59Z'))).toBe(1_000);
  expect(untilDayEndMs(Date.parse('2026-04-30T15:00:00Z'))).toBe(86_400_000);
});

test('at its end another day begins, and not a moment earlier', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e12, max: 4e12 }), (ms) => {
      const until = untilDayEndMs(ms);
      expect(japanDay(ms + until - 1)).toBe(japanDay(ms));
      expect(lastEndedDay(ms + until)).toBe(japanDay(ms));
      expect(daysBetween(japanDay(ms), japanDay(ms + until))).toBe(1);
    }),
  );
});

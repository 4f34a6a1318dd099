import fc from 'fast-check';
import { expect, test } from 'vitest';
import { japanTime } from '../../../server/rules/japan-day.ts';
import { isMonthOver, japanMonth, lastDayOf, monthStartMs, nextMonth } from '../../../server/rules/japan-month.ts';

test.each([
  ['2026-04-30T14:59:59.999Z', '2026-04'],
  ['2026-04-30T15:00:00Z', '2026-05'],
  ['2026-12-31T15:00:00Z', '2027-01'],
  ['2028-02-29T14:59:59Z', '2028-02'],
  ['2028-02-29T15:00:00Z', '2028-03'],
])('%s is in the month %s of Japan', (time, month) => {
  expect(japanMonth(Date.parse(time))).toBe(month);
});

test.each([
  ['2026-02', '2026-02-28', '2026-03'],
  ['2028-02', '2028-02-29', '2028-03'],
  ['2100-02', '2100-02-28', '2100-03'],
  ['2026-09', '2026-09-30', '2026-10'],
  ['2026-12', '2026-12-31', '2027-01'],
])('%s ends on %s, and %s comes after it', (month, last, next) => {
  expect([lastDayOf(month), nextMonth(month)]).toEqual([last, next]);
});

test('a month is over at the first moment of the next one in Japan, and not a millisecond earlier', () => {
  expect(isMonthOver('2026-05', Date.parse('2026-05-31T23:59:59.999+09:00'))).toBe(false);
  expect(isMonthOver('2026-05', Date.parse('2026-06-01T00:00:00+09:00'))).toBe(true);
});

test('every moment lies between the start of its month and that of the next', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (ms) => {
      const month = japanMonth(ms);
      expect(monthStartMs(month)).toBeLessThanOrEqual(ms);
      expect(monthStartMs(nextMonth(month))).toBeGreaterThan(ms);
      expect(Date.parse(japanTime(ms))).toBe(ms);
      expect(japanTime(ms).slice(0, 7)).toBe(month);
    }),
  );
});

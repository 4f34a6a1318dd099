import fc from 'fast-check';
import { expect, test } from 'vitest';
import { debtDelayMs, jitteredDelayMs, type ReconnectSpending, reconnectDelayMs, reconnectPolicy } from '../../../agent/rules/back-off.ts';

const dayMs = 24 * 60 * 60_000;
const anInexpensiveMonth: ReconnectSpending = {
  spentBytes: 0,
  monthElapsedMs: 0,
  monthLengthMs: 30 * dayMs,
  targetBytes: 3_000_000,
  ceilingReached: false,
};

test('the longest possible wait doubles with each failure, up to five minutes', () => {
  const longest = [1, 2, 3, 9, 10, 1000].map((failures) => jitteredDelayMs(failures, 0.999_999_9, reconnectPolicy) + 1);
  expect(longest).toEqual([1_000, 2_000, 4_000, 256_000, 300_000, 300_000]);
});

test('the jitter is full: a fleet that lost its server together comes back spread from zero to the longest wait', () => {
  expect(jitteredDelayMs(5, 0, reconnectPolicy)).toBe(0);
  expect(jitteredDelayMs(5, 0.5, reconnectPolicy)).toBe(8_000);
});

test('reconnecting within its allowance of bytes asks for no further wait', () => {
  expect(debtDelayMs({ ...anInexpensiveMonth, spentBytes: 150_000 })).toBe(0);
  expect(debtDelayMs({ ...anInexpensiveMonth, spentBytes: 500_000, monthElapsedMs: 15 * dayMs })).toBe(0);
});

test('a flapping line waits longer instead of spending more: an hour at the most, four at the ceiling', () => {
  expect(debtDelayMs({ ...anInexpensiveMonth, spentBytes: 150_900 })).toBe(Math.ceil((900 / 750_000) * 30 * dayMs));
  expect(debtDelayMs({ ...anInexpensiveMonth, spentBytes: 900_000 })).toBe(60 * 60_000);
  expect(debtDelayMs({ ...anInexpensiveMonth, spentBytes: 0, ceilingReached: true })).toBe(4 * 60 * 60_000);
});

test('a line that drops every connection at once stays within the month of 5 MB', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2_400, max: 5_400 }),
      fc.noShrink(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 50, maxLength: 50 })),
      (connectBytes, randoms) => {
        let spentBytes = 0;
        for (let atMs = 0, n = 1; atMs < 30 * dayMs; n++) {
          spentBytes += connectBytes;
          atMs +=
            1 +
            reconnectDelayMs(1, randoms[n % 50] as number, {
              ...anInexpensiveMonth,
              spentBytes,
              monthElapsedMs: atMs,
              ceilingReached: spentBytes > 4_600_000,
            });
        }
        expect(spentBytes).toBeLessThan(5_000_000);
      },
    ),
    { numRuns: 20 },
  );
});

import { expect, test } from 'vitest';
import {
  charge,
  chargePackage,
  defaultBudget,
  emptyLedger,
  findTelemetryHold,
  levelOf,
  monthOf,
  monthProgress,
  totalOf,
} from '../../../agent/rules/ledger.ts';

const at = (time: string) => Date.parse(time);
const november = at('2026-11-10T00:00:00Z');

test('a month begins at midnight in Japan', () => {
  expect(monthOf(at('2026-10-31T14:59:59Z'))).toBe('2026-10');
  expect(monthOf(at('2026-10-31T15:00:00Z'))).toBe('2026-11');
  expect(monthProgress(at('2026-10-31T15:00:01Z'))).toEqual({ elapsedMs: 1_000, lengthMs: 30 * 86_400_000 });
  expect(monthProgress(at('2027-02-28T14:59:59Z'))).toEqual({ elapsedMs: 28 * 86_400_000 - 1_000, lengthMs: 28 * 86_400_000 });
});

test('each byte is charged to its purpose, and package bodies stand beside the total', () => {
  const ledger = chargePackage(
    charge(charge(emptyLedger(november), 'connect', 2_831, november), 'keepalive', 204, november),
    7_000_000,
    november,
  );
  expect(ledger).toMatchObject({ month: '2026-11', packageBytes: 7_000_000, bytes: { connect: 2_831, keepalive: 204, report: 0 } });
  expect(totalOf(ledger)).toBe(3_035);
});

test('a new month starts at nothing', () => {
  const ledger = charge(charge(emptyLedger(november), 'report', 500, november), 'notice', 40, at('2026-12-01T00:00:00Z'));
  expect(ledger.month).toBe('2026-12');
  expect(totalOf(ledger)).toBe(40);
});

test('a clock that goes back never makes spent bytes unspent', () => {
  const ledger = charge(charge(emptyLedger(november), 'report', 500, november), 'notice', 40, at('1970-01-01T00:00:00Z'));
  expect(ledger.month).toBe('1970-01');
  expect(totalOf(ledger)).toBe(540);
});

test('target, alarm and ceiling are reached at their bytes', () => {
  const levels = [2_999_999, 3_000_000, 4_000_000, 4_999_999, 5_000_000].map((total) => levelOf(total, defaultBudget));
  expect(levels).toEqual(['within-target', 'above-target', 'alarm', 'alarm', 'ceiling']);
});

test('near the ceiling telemetry stops, a tenth before it is reached', () => {
  const spent = charge(emptyLedger(november), 'retry', 4_499_900, november);
  expect(findTelemetryHold(spent, 99, defaultBudget, 100_000)).toBeUndefined();
  expect(findTelemetryHold(spent, 100, defaultBudget, 100_000)).toBe('near-ceiling');
});

test("telemetry keeps to the policy's own limit a month", () => {
  const spent = charge(emptyLedger(november), 'telemetry', 99_000, november);
  expect(findTelemetryHold(spent, 1_000, defaultBudget, 100_000)).toBeUndefined();
  expect(findTelemetryHold(spent, 1_001, defaultBudget, 100_000)).toBe('monthly-limit');
});

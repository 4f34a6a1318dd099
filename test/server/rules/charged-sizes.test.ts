import { expect, test } from 'vitest';
import { chargedSizes } from '../../../server/rules/charged-sizes.ts';

const current = [
  { bytes: 3_000_000, installedBytes: 1_000_000 },
  { bytes: 2_000_000, installedBytes: 1_600_000 },
];
const earlier = [{ bytes: 4_000_000, installedBytes: 7_000_000 }];

test('D-03: every package of the current release counts for the menu, what is kept for a rollback does not', () => {
  expect(chargedSizes(current, earlier).storedBytes).toBe(5_000_000);
});
test('D-03, the other readings: the largest file alone, or everything that is kept', () => {
  expect(chargedSizes(current, earlier, 'largestFile').storedBytes).toBe(3_000_000);
  expect(chargedSizes(current, earlier, 'allKeptReleases').storedBytes).toBe(9_000_000);
});
test('D-04, D-05: the plan is that of the largest variant on a gateway', () => {
  expect(chargedSizes(current, earlier).installedBytes).toBe(1_600_000);
});

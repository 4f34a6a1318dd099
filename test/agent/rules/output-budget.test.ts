import { expect, test } from 'vitest';
import { freshBudget, takeBytes, takeLine } from '../../../agent/rules/output-budget.ts';

test('twenty lines a second are kept, and the next kept one tells how many were left out', () => {
  let budget = freshBudget(0);
  const kept: boolean[] = [];
  for (let i = 0; i < 25; i++) {
    const taken = takeLine(budget, 10);
    budget = taken.budget;
    kept.push(taken.isKept);
  }
  expect(kept.filter(Boolean)).toHaveLength(20);
  expect(takeLine(budget, 1_000)).toMatchObject({ isKept: true, droppedBefore: 5 });
});

test('above 256 KiB a second reading stops until the second is over', () => {
  const first = takeBytes(freshBudget(0), 100, 256 * 1024);
  expect(first.pauseMs).toBe(0);
  expect(takeBytes(first.budget, 400, 1).pauseMs).toBe(600);
  expect(takeBytes(first.budget, 1_000, 1).pauseMs).toBe(0);
});

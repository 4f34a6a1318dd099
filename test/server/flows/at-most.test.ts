import { expect, test } from 'vitest';
import { makeAtMost } from '../../../server/flows/at-most.ts';

test('never more jobs at a time than allowed, all of them in their order, failures included', async () => {
  const atMost = makeAtMost(3);
  let running = 0;
  let most = 0;
  const started: number[] = [];
  const jobs = Array.from({ length: 20 }, (_, index) =>
    atMost(async () => {
      started.push(index);
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index % 5 === 0) throw new Error('broken');
    }),
  );
  const outcomes = await Promise.allSettled(jobs);
  expect(most).toBe(3);
  expect(started).toEqual(Array.from({ length: 20 }, (_, index) => index));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(4);
});

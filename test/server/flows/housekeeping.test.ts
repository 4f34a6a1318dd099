import { expect, test, vi } from 'vitest';
import { makeHousekeeping } from '../../../server/flows/housekeeping.ts';

/** Time that a test moves: one timer, as housekeeping has. */
function aHouse(jobs: Record<string, () => Promise<unknown>>) {
  let timer: { ms: number; run: () => void } | undefined;
  const error = vi.fn();
  const housekeeping = makeHousekeeping({
    clock: {
      nowMs: () => 0,
      after: (ms, run) => {
        timer = { ms, run };
        return () => {
          timer = undefined;
        };
      },
    },
    log: { info: () => {}, warn: () => {}, error },
    jobs,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    housekeeping,
    error,
    timer: () => timer,
    settle,
    nextHour: async () => {
      expect(timer?.ms).toBe(3_600_000);
      timer?.run();
      await settle();
    },
  };
}

test('every job runs at the start and every hour, one after the other; one that fails is logged, and stops no other', async () => {
  const ran: string[] = [];
  const { housekeeping, error, settle, nextHour } = aHouse({
    broken: async () => {
      ran.push('broken');
      throw new Error('the disk is full');
    },
    sound: async () => void ran.push('sound'),
  });
  housekeeping.start();
  await settle();
  expect(ran).toEqual(['broken', 'sound']);
  await nextHour();
  expect(ran).toEqual(['broken', 'sound', 'broken', 'sound']);
  expect(error).toHaveBeenCalledWith('housekeeping.failed', expect.objectContaining({ job: 'broken' }));
  await housekeeping.stop();
});

test('a stop waits for the job that runs, begins no other, and no timer is left', async () => {
  let finish = () => {};
  const ran: string[] = [];
  const { housekeeping, timer } = aHouse({
    long: () =>
      new Promise<void>((resolve) => {
        finish = () => {
          ran.push('long');
          resolve();
        };
      }),
    next: async () => void ran.push('next'),
  });
  housekeeping.start();
  const stopped = housekeeping.stop();
  finish();
  await stopped;
  expect([ran, timer()]).toEqual([['long'], undefined]);
});

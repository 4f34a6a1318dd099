import { expect, test, vi } from 'vitest';
import { makeHousekeeping } from '../../../server/flows/housekeeping.ts';
import type { Db } from '../../../server/ports.ts';

/** Time that a test moves: one timer, as housekeeping has. */
function aHouse(jobs: Record<string, () => Promise<unknown>>, there: { isOthersTurn?: boolean; isHeld?: boolean } = {}) {
  const db: Db = {
    query: async <R extends object>(text: string) => {
      if (text.includes('advisory')) return [{ free: there.isOthersTurn !== true }] as R[];
      return (there.isHeld === true ? [{ value: { why: 'restored' } }] : []) as R[];
    },
    tx: (work) => work(db),
    together: (work) => work(db),
    listen: async () => ({ close: async () => {} }),
    close: async () => {},
  };
  let timer: { ms: number; run: () => void } | undefined;
  const error = vi.fn();
  const housekeeping = makeHousekeeping({
    db,
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
  const { housekeeping, timer, settle } = aHouse({
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
  await settle();
  const stopped = housekeeping.stop();
  finish();
  await stopped;
  expect([ran, timer()]).toEqual([['long'], undefined]);
});

test('nothing is tidied while another server is at it, or while publication is held after a restore; an hour later it is looked again', async () => {
  const there = { isOthersTurn: true, isHeld: false };
  const ran: string[] = [];
  const { housekeeping, settle, nextHour } = aHouse({ job: async () => void ran.push('job') }, there);
  housekeeping.start();
  await settle();
  Object.assign(there, { isOthersTurn: false, isHeld: true });
  await nextHour();
  expect(ran).toEqual([]);
  there.isHeld = false;
  await nextHour();
  expect(ran).toEqual(['job']);
  await housekeeping.stop();
});

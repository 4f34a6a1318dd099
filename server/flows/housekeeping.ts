/**
 * What is tidied up while the server runs: every job once at the start and then once an hour, by one server for all. One that fails is tried again in an
 * hour, and stops no other. While publication is held after a restore nothing is tidied: somebody has to look first.
 */
import type { Clock, Db, Log } from '../ports.ts';
import { oneAtATime } from './one-at-a-time.ts';
import { isPublicationHeld } from './publication-hold.ts';

const everyMs = 3_600_000;
const tidyLock = 6_410_355;

export type Housekeeping = {
  start(): void;
  /** One round, beside the hourly ones. */
  tidy(): Promise<void>;
  stop(): Promise<void>;
};

export function makeHousekeeping({
  db,
  clock,
  log,
  jobs,
}: {
  db: Db;
  clock: Clock;
  log: Log;
  jobs: Readonly<Record<string, () => Promise<unknown>>>;
}): Housekeeping {
  let isStopped = false;
  let cancel = () => {};
  let tidying: Promise<void> | undefined;

  async function runJobs(): Promise<void> {
    if (await isPublicationHeld(db)) return;
    for (const [job, run] of Object.entries(jobs)) {
      if (isStopped) return;
      try {
        await run();
      } catch (error) {
        log.error('housekeeping.failed', { job, error });
      }
    }
  }

  async function tidy(): Promise<void> {
    try {
      await oneAtATime(db, tidyLock, runJobs);
    } catch (error) {
      log.error('housekeeping.failed', { job: 'lock', error });
    }
  }

  function tidyHourly(): void {
    tidying = tidy().finally(() => {
      if (!isStopped) cancel = clock.after(everyMs, tidyHourly);
    });
  }

  return {
    start: () => {
      isStopped = false;
      tidyHourly();
    },
    tidy,
    stop: async () => {
      isStopped = true;
      cancel();
      await tidying;
    },
  };
}

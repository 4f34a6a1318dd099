/** What is tidied up while the server runs: every job once at the start and then once an hour. One that fails is tried again in an hour, and stops no other. */
import type { Clock, Log } from '../ports.ts';

const everyMs = 3_600_000;

export type Housekeeping = { start(): void; stop(): Promise<void> };

export function makeHousekeeping({
  clock,
  log,
  jobs,
}: {
  clock: Clock;
  log: Log;
  jobs: Readonly<Record<string, () => Promise<unknown>>>;
}): Housekeeping {
  let isStopped = true;
  let cancel = () => {};
  let tidying: Promise<void> | undefined;

  async function tidy(): Promise<void> {
    for (const [job, run] of Object.entries(jobs)) {
      if (isStopped) return;
      try {
        await run();
      } catch (error) {
        log.error('housekeeping.failed', { job, error });
      }
    }
  }

  function tidyNow(): void {
    tidying = tidy().finally(() => {
      if (!isStopped) cancel = clock.after(everyMs, tidyNow);
    });
  }

  return {
    start: () => {
      isStopped = false;
      tidyNow();
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await tidying;
    },
  };
}

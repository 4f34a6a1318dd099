/** Sees to the ends of days while the server runs: at its start, soon after each midnight in Japan, and once an hour for what was entered late. */
import type { Clock, Log } from '../ports.ts';
import { untilDayEndMs } from '../rules/japan-day.ts';
import { systemActor } from './actor.ts';
import type { EvaluateDays } from './evaluate-days.ts';

const lookEveryMs = 3_600_000;
/** Past the edge for certain, whatever a timer's haste. */
const afterMidnightMs = 1_000;

export type DayTick = { start(): void; stop(): Promise<void> };

export function makeDayTick({
  clock,
  log,
  evaluateDays,
  finishEndedSoftware,
  isHeld,
}: {
  clock: Clock;
  log: Log;
  evaluateDays: EvaluateDays;
  finishEndedSoftware: () => Promise<unknown>;
  /** After a restore: an event that was voided since the backup must not act by itself. */
  isHeld: () => Promise<boolean>;
}): DayTick {
  let isStopped = true;
  let cancel = () => {};
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    try {
      if (await isHeld()) return;
      await evaluateDays({ actor: systemActor });
      await finishEndedSoftware();
    } catch (error) {
      log.error('contract.evaluation_failed', { error });
    }
  }

  function lookNow(): void {
    looking = look().finally(() => {
      if (!isStopped) cancel = clock.after(Math.min(lookEveryMs, untilDayEndMs(clock.nowMs()) + afterMidnightMs), lookNow);
    });
  }

  return {
    start: () => {
      isStopped = false;
      lookNow();
    },
    stop: async () => {
      isStopped = true;
      cancel();
      await looking;
    },
  };
}

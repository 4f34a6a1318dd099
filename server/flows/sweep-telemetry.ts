import type { Clock, Db } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import { daysKept, oldestDays } from '../rules/telemetry-day.ts';

const dayMs = 86_400_000;

/** Forgets the days that are past their time, whoever still sends. */
export function makeSweepTelemetry({ db, clock }: { db: Db; clock: Clock }) {
  return async (): Promise<void> => {
    const dayBefore = (days: number) => japanDay(clock.nowMs() - days * dayMs);
    // One day more than a message may be old: what is still taken must be known when it comes again.
    await db.query('DELETE FROM telemetry_messages WHERE day < $1', [dayBefore(oldestDays + 1)]);
    await db.query('DELETE FROM gateway_days WHERE day < $1', [dayBefore(daysKept)]);
    await db.query('DELETE FROM target_days WHERE day < $1', [dayBefore(daysKept)]);
  };
}

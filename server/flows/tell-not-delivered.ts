/** Once a day in Japan, the sum of what is not delivered stands in the log, for whoever watches it without asking. */
import type { Clock, Db, Log } from '../ports.ts';
import { japanDay } from '../rules/japan-day.ts';
import { systemActor } from './actor.ts';
import type { makeNotDelivered } from './not-delivered.ts';

const toldSetting = 'report.not-delivered-told';

export function makeTellNotDelivered({
  db,
  clock,
  log,
  notDelivered,
}: {
  db: Db;
  clock: Clock;
  log: Log;
  notDelivered: ReturnType<typeof makeNotDelivered>;
}) {
  return async (): Promise<void> => {
    const now = new Date(clock.nowMs());
    const day = japanDay(now.getTime());
    // Of several servers the first one tells.
    const isFirst = await db.query(
      `INSERT INTO settings (name, value, changed_at) VALUES ($1, to_jsonb($2::text), $3)
       ON CONFLICT (name) DO UPDATE SET value = to_jsonb($2::text), changed_at = $3 WHERE settings.value #>> '{}' < $2 RETURNING 1`,
      [toldSetting, day, now],
    );
    if (isFirst.length === 0) return;
    const { targets, byWho, byReason } = await notDelivered.sum({}, systemActor);
    log.info('report.not_delivered', { day, targets, byWho, byReason });
  };
}

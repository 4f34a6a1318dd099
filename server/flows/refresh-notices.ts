/** Publishes what is due: at once when somebody says so, otherwise at each gateway's weekly moment. `notice_due_at` is the truth, a wake-up only a hint. */
import type { GatewayId } from '../../protocol/fields.ts';
import type { Clock, Db, Log } from '../ports.ts';
import { isPublicationHeld } from './publication-hold.ts';
import type { PublishNotice } from './publish-notice.ts';

const lookEveryMs = 30_000;
const gatewaysPerLook = 100;
/** A gateway whose notice cannot be made must not stand first in every look. */
const tryAgainMs = 60_000;

export type NoticeDesk = { start(): Promise<void>; stop(): Promise<void> };

export function makeNoticeDesk({
  db,
  clock,
  log,
  publishNotice,
  cutOffBlocked,
}: {
  db: Db;
  clock: Clock;
  log: Log;
  publishNotice: PublishNotice;
  cutOffBlocked: () => Promise<void>;
}): NoticeDesk {
  let isStopped = true;
  let isWoken = false;
  let looking: Promise<void> | undefined;
  let cancelTimer = () => {};
  let ears: { close(): Promise<void> } | undefined;

  function wake(): void {
    isWoken = true;
    if (isStopped || looking !== undefined) return;
    looking = look().finally(() => {
      looking = undefined;
      if (isStopped) return;
      if (isWoken) return wake();
      cancelTimer();
      cancelTimer = clock.after(lookEveryMs, wake);
    });
  }

  async function look(): Promise<void> {
    isWoken = false;
    try {
      await cutOffBlocked();
      if (await isPublicationHeld(db)) return; // all stay due; the confirmation wakes us
      for (let due = await dueGateways(); due.length > 0 && !isStopped; due = await dueGateways())
        for (const { id } of due) if (!isStopped) await publishOne(id);
    } catch (error) {
      log.error('notices.look_failed', { error });
    }
  }

  async function publishOne(gateway: GatewayId): Promise<void> {
    try {
      await publishNotice(gateway);
    } catch (error) {
      log.error('notice.failed', { gateway, error });
      await db.query('UPDATE gateways SET notice_due_at = $2 WHERE id = $1', [gateway, new Date(clock.nowMs() + tryAgainMs)]);
    }
  }

  function dueGateways(): Promise<{ id: GatewayId }[]> {
    return db.query<{ id: GatewayId }>('SELECT id FROM gateways WHERE notice_due_at <= $1 ORDER BY notice_due_at LIMIT $2', [
      new Date(clock.nowMs()),
      gatewaysPerLook,
    ]);
  }

  return {
    start: async () => {
      isStopped = false;
      ears = await db.listen('tsugite_notice_due', wake);
      wake();
    },
    stop: async () => {
      isStopped = true;
      cancelTimer();
      await ears?.close();
      await looking;
    },
  };
}

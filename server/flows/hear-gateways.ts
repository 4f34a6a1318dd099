/** The broker's duties: who may connect, what happens to each message, and which connection of a gateway is the present one. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { BrokerDuties, BrokerMessage, GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Log } from '../ports.ts';
import { makeAtMost } from './at-most.ts';
import { makeInTurn } from './in-turn.ts';
import { isPublicationHeld } from './publication-hold.ts';
import { announceNotice } from './publish-notice.ts';
import { markAllOffline, markOffline, type TakePresence } from './take-presence.ts';
import type { TakeReport } from './take-report.ts';
import type { TakeTelemetry } from './take-telemetry.ts';
import type { UseCertificate } from './use-certificate.ts';

const noticesPerPage = 500;
/**
 * Database work of gateways that goes on at a time. Ten thousand of them may come back at once; they wait here, so that the other connections of
 * the pool are free for the people's side.
 */
const jobsAtATime = 4;

export function makeHearGateways(doors: {
  db: Db;
  clock: Clock;
  log: Log;
  link: GatewayLink;
  useCertificate: UseCertificate;
  takeReport: TakeReport;
  takePresence: TakePresence;
  takeTelemetry: TakeTelemetry;
}): BrokerDuties {
  const { db, clock, log, link, useCertificate, takeReport, takePresence, takeTelemetry } = doors;
  const present = new Map<GatewayId, { connection: number; hasReported: boolean }>();
  const refusedMessages = new Map<string, number>();
  const inTurn = makeInTurn<GatewayId>();
  const atMost = makeAtMost(jobsAtATime);

  async function take({ connection, gateway, what, payload }: BrokerMessage, isLast: () => boolean): Promise<void> {
    const here = present.get(gateway);
    // The last will of a connection that a newer one has replaced says nothing about the newer one.
    if (here?.connection !== connection) return;
    switch (what) {
      case 'presence':
        return takePresence(gateway, payload);
      case 'telemetry':
        return takeTelemetry(gateway, payload);
      case 'report': {
        const { isResyncAsked } = await takeReport({ gateway, payload, isFirstOnConnection: !here.hasReported, isAckWanted: isLast });
        here.hasReported = true;
        if (isResyncAsked) await announceNotice({ db, link }, gateway);
      }
    }
  }

  /** A message that cannot be understood is counted and dropped; it must never stop the ones behind it, nor this process. */
  function refuseMessage({ gateway, what, payload }: BrokerMessage, error: unknown): void {
    if (!(error instanceof TsugiteError)) {
      // Not stored, so not acknowledged: the gateway sends it again.
      log.error('message.not_stored', { gateway, what, error });
      return;
    }
    const count = (refusedMessages.get(error.code) ?? 0) + 1;
    refusedMessages.set(error.code, count);
    log.warn('message.refused', {
      gateway,
      what,
      bytes: payload.length,
      number: error.number,
      code: error.code,
      detail: error.detail,
      count,
    });
  }

  return {
    mayConnect: async ({ connection, gateway, serial }) => {
      const decision = await atMost(() => useCertificate({ gateway, serial }, 'connect'));
      if (decision.kind === 'refuse') {
        log.warn('connection.refused', { gateway, serial, why: decision.why });
        return 'refuse';
      }
      present.set(gateway, { connection, hasReported: false });
      return 'allow';
    },
    take: (message) =>
      inTurn(message.gateway, (isLast) => atMost(() => take(message, isLast))).catch((error: unknown) => refuseMessage(message, error)),
    gone: async ({ connection, gateway }) => {
      if (present.get(gateway)?.connection !== connection) return;
      present.delete(gateway);
      await inTurn(gateway, () => atMost(() => markOffline(db, gateway, clock.nowMs())));
    },
    refill: async (publish) => {
      present.clear();
      await markAllOffline(db);
      if (await isPublicationHeld(db)) return; // the notices of before the restore are not the newest that were said
      let count = 0;
      for (let after: GatewayId | undefined = '' as GatewayId; after !== undefined; ) {
        const page: { id: GatewayId; envelope: Buffer }[] = await newestNotices(db, after, publish);
        count += page.length;
        after = page.at(-1)?.id;
      }
      log.info('notices.refilled', { count });
    },
  };
}

/** Shared row locks: no newer notice of these gateways can be handed over before these are. */
function newestNotices(db: Db, after: GatewayId, publish: (gateway: GatewayId, envelope: Uint8Array) => void) {
  return db.tx(async (sql) => {
    const page = await sql.query<{ id: GatewayId; envelope: Buffer }>(
      `SELECT g.id, n.envelope FROM gateways g
       JOIN notices n ON n.gateway_id = g.id AND n.version = (SELECT max(version) FROM notices WHERE gateway_id = g.id)
       WHERE g.id > $1 ORDER BY g.id LIMIT $2 FOR SHARE OF g`,
      [after, noticesPerPage],
    );
    for (const { id, envelope } of page) publish(id, envelope);
    return page;
  });
}

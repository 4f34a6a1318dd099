/** The broker's duties: who may connect, what happens to each message, and which connection of a gateway is the present one. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { BrokerDuties, BrokerMessage, GatewayLink } from '../ports/gateways.ts';
import type { Clock, Db, Log } from '../ports.ts';
import { makeAtMost } from './at-most.ts';
import { makeInTurn } from './in-turn.ts';
import { announceNotice } from './publish-notice.ts';
import { refillNotices } from './refill-notices.ts';
import { makeRefuseMessage } from './refuse-message.ts';
import { markAllOffline, markOffline, type TakePresence } from './take-presence.ts';
import type { TakeReport } from './take-report.ts';
import type { TakeTelemetry } from './take-telemetry.ts';
import type { UseCertificate } from './use-certificate.ts';

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
  const refuseMessage = makeRefuseMessage({ log });
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
        const isFirstOnConnection = !here.hasReported;
        // Before it is stored: were it not, the next one is no more the lowest that is outstanding.
        here.hasReported = true;
        const { isResyncAsked } = await takeReport({ gateway, payload, isFirstOnConnection, isAckWanted: isLast }).catch(
          (error: unknown) => {
            // What nobody can ever understand must not hold back the ones behind it.
            if (error instanceof TsugiteError) here.hasReported = !isFirstOnConnection;
            throw error;
          },
        );
        if (isResyncAsked) await announceNotice({ db, link }, gateway);
      }
    }
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
      await refillNotices({ db, log }, publish);
    },
  };
}

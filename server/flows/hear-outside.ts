/**
 * What an outside broker hands on. It has let the gateway in by a certificate of the device CA and to its own topics, and knows nothing else of us:
 * who is blocked, what may be retained and how often it said something before is decided here, by what stands in the database.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import { toCompactJson } from '../../protocol/json.ts';
import { lastWill, parsePresence } from '../../protocol/messages/presence.ts';
import type { GatewayLink, OutsideDuties, OutsideMessage } from '../ports/gateways.ts';
import type { Clock, Db, Log } from '../ports.ts';
import { makeInTurn } from './in-turn.ts';
import { announceNotice } from './publish-notice.ts';
import { refillNotices } from './refill-notices.ts';
import { makeRefuseMessage } from './refuse-message.ts';
import { markOthersOffline, recogniseBirth, type TakePresence } from './take-presence.ts';
import type { TakeReport } from './take-report.ts';
import type { TakeTelemetry } from './take-telemetry.ts';
import type { UseByBirth } from './use-certificate.ts';

const farewell = toCompactJson(lastWill);
/** A statement may fail for a reason that is gone a moment later. */
const tries = 2;

export function makeHearOutside(doors: {
  db: Db;
  clock: Clock;
  log: Log;
  link: GatewayLink;
  useByBirth: UseByBirth;
  takeReport: TakeReport;
  takePresence: TakePresence;
  takeTelemetry: TakeTelemetry;
}): Omit<OutsideDuties, 'began' | 'ended'> {
  const { db, clock, log, link, useByBirth, takeReport, takePresence, takeTelemetry } = doors;
  const refuseMessage = makeRefuseMessage({ log });
  // One connection hands on one message at a time; after a lost one, its last message may still be in work when the next connection begins.
  const inTurn = makeInTurn<GatewayId>();
  let online = new Set<GatewayId>();

  async function take(message: OutsideMessage): Promise<void> {
    const { gateway, what, payload, isRedelivered } = message;
    switch (what) {
      case 'presence':
        return hearPresence(message);
      case 'telemetry':
        return takeTelemetry(gateway, payload);
      case 'report': {
        const arrived = { gateway, payload, isFirstOnConnection: false, mayBeSentAgain: !isRedelivered, isAckWanted: () => true };
        const { isResyncAsked } = await takeReport(arrived);
        if (isResyncAsked) await announceNotice({ db, link }, gateway);
      }
    }
  }

  async function hearPresence({ gateway, payload, isReplay }: OutsideMessage): Promise<void> {
    const presence = parsePresence(payload);
    if (!presence.online) {
      online.delete(gateway);
      return takePresence(gateway, payload);
    }
    const replay = isReplay ? await recogniseBirth(db, gateway, presence) : 'take';
    // Its next connect brings a birth of now.
    if (replay === 'have-it-said-again') return link.cutOff(gateway);
    online.add(gateway);
    if (replay === 'known') return;
    await takePresence(gateway, payload);
    const use = await useByBirth(gateway);
    if (use.kind === 'first-use') log.info('certificate.used_by_birth', { gateway, serial: use.serial });
  }

  /** The broker's door has no list of ours but the revoked certificates, and that one late. @returns why it is not heard */
  async function unwelcome(gateway: GatewayId): Promise<'unknown' | 'blocked' | 'no certificate in force' | undefined> {
    const [row] = await db.query<{ is_blocked: boolean; is_certified: boolean }>(
      `SELECT blocked_at IS NOT NULL AS is_blocked, EXISTS (
         SELECT 1 FROM gateway_certificates c WHERE c.gateway_id = g.id AND c.cut_off_at IS NULL AND c.not_after >= $2) AS is_certified
       FROM gateways g WHERE id = $1`,
      [gateway, new Date(clock.nowMs())],
    );
    if (row === undefined) return 'unknown';
    if (row.is_blocked) return 'blocked';
    return row.is_certified ? undefined : 'no certificate in force';
  }

  async function hear(message: OutsideMessage): Promise<void> {
    const why = await unwelcome(message.gateway);
    // That it is gone is welcome from everybody: it is what a cut-off brings.
    if (why === undefined || farewell.equals(message.payload)) return take(message);
    online.delete(message.gateway);
    const { number, code } = new TsugiteError(why === 'blocked' ? 'GATEWAY_BLOCKED' : 'CERTIFICATE_REFUSED');
    log.warn('message.from_unwelcome', { gateway: message.gateway, what: message.what, why, number, code });
    // What is retained says nothing about who is connected now.
    if (!message.isReplay) link.cutOff(message.gateway);
  }

  async function isDatabaseAway(): Promise<boolean> {
    return db.query('SELECT 1').then(
      () => false,
      () => true,
    );
  }

  return {
    connected: () => {
      online = new Set();
    },
    take: (message) =>
      inTurn(message.gateway, async () => {
        for (let left = tries; ; left -= 1) {
          try {
            await hear(message);
            return 'done';
          } catch (error) {
            if (!(error instanceof TsugiteError)) {
              if (await isDatabaseAway()) return 'again';
              if (left > 1) continue;
            }
            // What the database itself will never take must not come back for ever, in front of everybody else's.
            refuseMessage(message, error);
            return 'done';
          }
        }
      }),
    synchronised: () => markOthersOffline(db, [...online]),
    refill: (publish) => refillNotices({ db, log }, publish),
  };
}

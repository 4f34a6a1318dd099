/**
 * The ears at an outside broker: one session that the broker keeps while we are away, and one message at a time. PUBACK goes out when the message
 * is in the database, so what was not stored comes again.
 */
import { assertNever } from '../../../protocol/assert-never.ts';
import { catalogue } from '../../../protocol/errors.ts';
import { filterOf, parseTopic } from '../../../protocol/topics.ts';
import type { BrokerAccess, OutsideDuties } from '../../ports/gateways.ts';
import type { Clock, Log } from '../../ports.ts';
import { decidePublish } from '../../rules/broker-access.ts';
import { type Marker, markerTopic, sendMarker } from './marker.ts';
import { type Arrived, type Connection, makeStandingConnection, type StandingConnection } from './standing-connection.ts';

export function makeHearing(
  outside: { access: BrokerAccess; clock: Clock; log: Log },
  { duties, onUp, onDown }: { duties: OutsideDuties; onUp: () => void; onDown: () => void },
): StandingConnection {
  const { access, clock, log } = outside;
  const { clientId } = access;
  /** backlog: what was kept for us comes first · presences: then every retained presence is shown · live */
  let stage: { name: 'backlog' | 'presences'; marker: Marker } | { name: 'live' } = { name: 'live' };

  async function up(connection: Connection): Promise<void> {
    onUp();
    duties.connected();
    await connection.subscribe([markerTopic(clientId), filterOf('report'), filterOf('telemetry')]);
    stage = { name: 'backlog', marker: sendMarker({ clientId, connection, clock }) };
  }

  /** A subscription that is made again brings the retained messages again (MQTT 3.1.1 §3.8.4), into a queue that has room for them now. */
  async function showPresences(connection: Connection): Promise<void> {
    await connection.subscribe([filterOf('presence')]);
    stage = { name: 'presences', marker: sendMarker({ clientId, connection, clock }) };
  }

  async function passStage(connection: Connection): Promise<void> {
    switch (stage.name) {
      case 'backlog':
        // Not awaited: SUBACK comes behind the message that is in work.
        showPresences(connection).catch((error: unknown) => connection.drop(String(error)));
        return;
      case 'presences':
        stage = { name: 'live' };
        return duties.synchronised();
      case 'live':
        return;
      default:
        assertNever(stage);
    }
  }

  async function take(message: Arrived, connection: Connection): Promise<void> {
    const { topic, payload, qos, retain, dup } = message;
    if (stage.name !== 'live' && stage.marker.isIt(message)) return passStage(connection);
    const to = parseTopic(topic);
    if (to === undefined) return;
    // What we clear below comes back to us, empty.
    if (payload.length === 0 && to.kind !== 'presence') return;
    // Of a live message the broker has taken the flag away, and of QoS 2 it has made QoS 1: its listener for gateways has to refuse that one.
    const meant = decidePublish(to.gateway, { topic, qos, retain: retain || to.kind === 'presence' });
    if (meant.kind === 'refuse') {
      const { number } = catalogue.TOPIC_FORBIDDEN;
      log.warn('broker.refused', { gateway: to.gateway, why: meant.why, detail: topic, number, code: 'TOPIC_FORBIDDEN' });
      // It would be shown again at each subscription, and stand in the broker's memory for ever.
      if (meant.why === 'wrong-retain') connection.publish(topic, new Uint8Array(), { qos: 1, retain: true }).catch(() => {});
      return;
    }
    const outcome = await duties.take({ gateway: to.gateway, what: meant.what, payload, isReplay: retain, isRedelivered: dup });
    if (outcome === 'again') throw new Error('the database could not take it');
  }

  function down(): void {
    if (stage.name !== 'live') stage.marker.cancel();
    stage = { name: 'live' };
    onDown();
  }

  return makeStandingConnection(
    'hearing',
    { ...outside, session: { clientId, clean: false } },
    { onUp: up, onMessage: take, onDown: down },
  );
}

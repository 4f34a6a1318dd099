/**
 * The voice at an outside broker: retained notices and acknowledgements. While there is no connection nothing is kept here: what the broker lacks
 * afterwards is found by looking, since a broker that was restarted may have lost all, some, or nothing of what it had retained.
 */
import { createHash } from 'node:crypto';
import type { GatewayId } from '../../../protocol/fields.ts';
import { filterOf, parseTopic, publishedByServer, topicOf } from '../../../protocol/topics.ts';
import type { BrokerAccess, OutsideDuties } from '../../ports/gateways.ts';
import type { Clock, Log } from '../../ports.ts';
import { type Marker, markerTopic, sendMarker } from './marker.ts';
import { type Arrived, type Connection, makeStandingConnection, type StandingConnection } from './standing-connection.ts';

/** Notices that were sent and not acknowledged by the broker yet. The others wait: of each gateway only the newest. */
const inFlightMost = 64;
/** Acknowledgements are cumulative: a gateway that sends a row of reports gets one for all that were stored within this time. */
const ackPauseMs = 200;
const lookMs = 120_000;

export type Speaking = StandingConnection & {
  publishNotice(gateway: GatewayId, envelope: Uint8Array): void;
  publishAck(gateway: GatewayId, ack: Uint8Array): void;
};

export function makeSpeaking(
  outside: { access: BrokerAccess; clock: Clock; log: Log },
  { duties }: { duties: Pick<OutsideDuties, 'refill'> },
): Speaking {
  const { access, clock, log } = outside;
  const session = { clientId: `${access.clientId}.out`, clean: true };
  let connection: Connection | undefined;
  let retained: Map<GatewayId, string> | undefined;
  let marker: Marker | undefined;
  let look = { done: () => {}, lost: (_: Error) => {} };
  let waiting = new Map<GatewayId, Uint8Array>();
  let inFlight = 0;
  const acks = new Map<GatewayId, Uint8Array>();
  let isAckTimerSet = false;

  async function up(opened: Connection): Promise<void> {
    connection = opened;
    waiting = new Map();
    inFlight = 0;
    const found = await lookAtRetained(opened);
    let missing = 0;
    await duties.refill((gateway, envelope) => {
      if (found.get(gateway) === digestOf(envelope)) return;
      missing += 1;
      if (connection === opened) say(gateway, envelope);
    });
    log.info('broker.notices_compared', { retained: found.size, missing });
  }

  /** The digest of every notice that the broker would give to a gateway now. */
  async function lookAtRetained(opened: Connection): Promise<Map<GatewayId, string>> {
    const found = new Map<GatewayId, string>();
    retained = found;
    const shown = new Promise<void>((done, lost) => {
      look = { done, lost };
    });
    const cancelPatience = clock.after(lookMs, () => opened.drop('the retained notices were not shown in time'));
    await opened.subscribe([markerTopic(session.clientId), filterOf('notice')]);
    marker = sendMarker({ clientId: session.clientId, connection: opened, clock });
    await shown;
    cancelPatience();
    retained = undefined;
    await opened.unsubscribe(filterOf('notice'));
    return found;
  }

  async function take(message: Arrived): Promise<void> {
    if (marker?.isIt(message)) return look.done();
    const to = parseTopic(message.topic);
    // Our own words of this moment come back too, until the subscription ends.
    if (message.retain && to?.kind === 'notice') retained?.set(to.gateway, digestOf(message.payload));
  }

  function say(gateway: GatewayId, envelope: Uint8Array): void {
    // Deleted first, so that nobody's newest waits at an old place and passes others.
    waiting.delete(gateway);
    waiting.set(gateway, envelope);
    sayNext();
  }

  function sayNext(): void {
    const to = connection;
    for (const [gateway, envelope] of waiting) {
      if (to === undefined || inFlight >= inFlightMost) return;
      waiting.delete(gateway);
      inFlight += 1;
      to.publish(topicOf(gateway, 'notice'), envelope, publishedByServer.notice).then(
        () => {
          if (to !== connection) return;
          inFlight -= 1;
          sayNext();
        },
        () => to.drop('a notice was not acknowledged'),
      );
    }
  }

  function sayAcks(): void {
    isAckTimerSet = false;
    for (const [gateway, ack] of acks) connection?.publish(topicOf(gateway, 'ack'), ack, publishedByServer.ack).catch(() => {}); // the report comes again
    acks.clear();
  }

  const standing = makeStandingConnection(
    'speaking',
    { ...outside, session },
    {
      onUp: up,
      onMessage: take,
      onDown: () => {
        connection = undefined;
        waiting = new Map();
        marker?.cancel();
        look.lost(new Error('the connection ended'));
      },
    },
  );
  return {
    ...standing,
    publishNotice: (gateway, envelope) => {
      if (connection !== undefined) say(gateway, envelope);
    },
    publishAck: (gateway, ack) => {
      acks.set(gateway, ack);
      if (isAckTimerSet) return;
      isAckTimerSet = true;
      clock.after(ackPauseMs, sayAcks);
    },
  };
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

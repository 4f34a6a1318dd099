import { randomBytes } from 'node:crypto';
import type { Clock } from '../../ports.ts';
import type { Arrived, Connection } from './standing-connection.ts';

/** Below it nobody but servers may read or write: no gateway id stands at that place, so no pattern of the gateways' rules fits. */
const room = 'tsugite/server';
/** A broker whose queue for us is full drops what comes behind it, and so this one too. */
const againMs = 10_000;

export function markerTopic(clientId: string): string {
  return `${room}/${clientId}`;
}

export type Marker = {
  /** Whether this is it, back again; then it is not sent any more. */
  isIt(message: Arrived): boolean;
  cancel(): void;
};

/**
 * A message to ourselves. A broker sends one client its messages in the order in which they came (MQTT 3.1.1 §4.6): when ours is back, everything
 * that it had retained or kept for us has been sent before. `markerTopic` must be subscribed.
 */
export function sendMarker({ clientId, connection, clock }: { clientId: string; connection: Connection; clock: Clock }): Marker {
  const topic = markerTopic(clientId);
  const token = randomBytes(16);
  let cancel = () => {};
  const send = () => {
    cancel = clock.after(againMs, send);
    connection.publish(topic, token, { qos: 1, retain: false }).catch(() => {}); // the connection is lost, and says so itself
  };
  send();
  return {
    isIt: (message) => {
      const isBack = message.topic === topic && token.equals(message.payload);
      if (isBack) cancel();
      return isBack;
    },
    cancel: () => cancel(),
  };
}

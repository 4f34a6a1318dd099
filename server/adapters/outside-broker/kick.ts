import { connectAsync } from 'mqtt';
import type { GatewayId } from '../../../protocol/fields.ts';
import type { BrokerAccess } from '../../ports/gateways.ts';
import type { Clock, Log } from '../../ports.ts';
import { optionsOf } from './standing-connection.ts';

/** More wait their turn; a gateway that is not cut off now is cut off at its next message. */
const atATime = 4;
const waitingMost = 10_000;
const patienceMs = 10_000;

/**
 * Ends a gateway's connection at a broker that has no other word for it: whoever connects under a client id ends the connection that had it (MQTT
 * 3.1.1 §3.1.4). Our listener lets a server choose its client id. The session goes too, so the last will is published and nothing is kept for it.
 */
export function makeKick({ access, clock, log }: { access: BrokerAccess; clock: Clock; log: Log }): (gateway: GatewayId) => void {
  const waiting = new Set<GatewayId>();
  let running = 0;

  async function kick(gateway: GatewayId): Promise<void> {
    const client = await connectAsync(access.url, { ...optionsOf(access, { clientId: gateway, clean: true }), connectTimeout: patienceMs });
    const cancelPatience = clock.after(patienceMs, () => client.stream.destroy());
    await client.endAsync().finally(cancelPatience);
  }

  function next(): void {
    for (const gateway of waiting) {
      if (running >= atATime) return;
      waiting.delete(gateway);
      running += 1;
      kick(gateway)
        .then(
          () => log.info('broker.cut_off', { gateway }),
          (error: unknown) => log.warn('broker.cut_off_failed', { gateway, error }),
        )
        .finally(() => {
          running -= 1;
          next();
        });
    }
  }

  return (gateway) => {
    if (waiting.size >= waitingMost) return;
    waiting.add(gateway);
    next();
  };
}

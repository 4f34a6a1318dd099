/** A day as it travels. Loaded when a day is due: nothing of it is in memory for the rest of the time. */
import type { RandomId } from '../../../protocol/fields.ts';
import { encodeTelemetry, type Telemetry, toColumn } from '../../../protocol/messages/telemetry.ts';
import { wireBytes } from '../wire-model.ts';
import type { TelemetryDay } from './day.ts';
import { hourMs } from './hours.ts';

/** @param mayTell  what was measured of software that may not, or is gone meanwhile, stays here */
export function toTelemetry(
  { from, agent, targets }: TelemetryDay,
  { epoch, mayTell }: { epoch: string; mayTell: (target: RandomId) => boolean },
): Telemetry {
  const hours = agent.rssKiB.length;
  const column = (values: readonly number[]) => toColumn([...values, ...Array<number>(hours - values.length).fill(0)]);
  return {
    v: 1,
    epoch,
    from,
    stepS: hourMs / 1000,
    agent: { rssKiB: column(agent.rssKiB), controlBytes: column(agent.controlBytes), reconnects: column(agent.reconnects) },
    targets: targets
      .filter(({ target }) => mayTell(target))
      .map(({ target, memoryPeakKiB, restarts, dataKiB, deniedConnections, own }) => ({
        target,
        memoryPeakKiB: column(memoryPeakKiB),
        restarts: column(restarts),
        dataKiB: column(dataKiB),
        deniedConnections: column(deniedConnections),
        up: memoryPeakKiB.filter((kib) => kib > 0).length,
        ...(own !== undefined && { own }),
      })),
  };
}

export function encodeDay(day: TelemetryDay, about: Parameters<typeof toTelemetry>[1]): Buffer {
  return encodeTelemetry(toTelemetry(day, about));
}

/** TLS 1.3: header, content type, authentication tag. */
const recordBytes = 22;
/** MQTT 3.1.1 §3.3: fixed header, length of the topic, packet id; the longest topic is that of a gateway id of 63 characters. */
const publishBytes = 3 + 2 + 83 + 2;
const pubackBytes = 4;

/** What a message will cost the line, rather too much than too little: asked of the budget before it is sent. */
export function costOfMessage(messageBytes: number): number {
  return wireBytes({
    family: 6,
    sentBytes: messageBytes + publishBytes + recordBytes,
    receivedBytes: pubackBytes + recordBytes,
    isAnswered: true,
  });
}

/** A day of telemetry as an agent sends it; a test says what is special about it. */
import { toUtcTime } from '../../protocol/fields.ts';
import { type Telemetry, toColumn } from '../../protocol/messages/telemetry.ts';

export type SaidOfTarget = {
  target: string;
  memoryPeakKiB?: number;
  restarts?: number;
  dataKiB?: number;
  deniedConnections?: number;
  own?: Record<string, number>;
};

/** Midnight in Japan, so many days before the day of `nowMs`. */
export function japanMidnightMs(nowMs: number, daysAgo: number): number {
  const offsetMs = 9 * 3_600_000;
  const dayMs = 86_400_000;
  return Math.floor((nowMs + offsetMs) / dayMs) * dayMs - offsetMs - daysAgo * dayMs;
}

/** Every hour the same, but that restarts and refused connections all came in the first. */
export function aTelemetry({
  fromMs,
  hours = 24,
  epoch = 'e'.repeat(32),
  targets = [],
  rssKiB = 54_000,
  controlBytes = 500,
  reconnects = 0,
}: {
  fromMs: number;
  hours?: number;
  epoch?: string;
  targets?: readonly SaidOfTarget[];
  rssKiB?: number;
  controlBytes?: number;
  reconnects?: number;
}): Telemetry {
  const each = (value: number) => toColumn(Array<number>(hours).fill(value));
  const once = (value: number) => toColumn([value, ...Array<number>(hours - 1).fill(0)]);
  return {
    v: 1,
    epoch,
    from: toUtcTime(fromMs),
    stepS: 3600,
    agent: { rssKiB: each(rssKiB), controlBytes: each(controlBytes), reconnects: once(reconnects) },
    targets: targets.map(({ target, memoryPeakKiB = 30_000, restarts = 0, dataKiB = 200, deniedConnections = 0, own }) => ({
      target: target as Telemetry['targets'][number]['target'],
      memoryPeakKiB: each(memoryPeakKiB),
      restarts: once(restarts),
      dataKiB: each(dataKiB),
      deniedConnections: once(deniedConnections),
      up: hours,
      ...(own !== undefined && { own }),
    })),
  };
}

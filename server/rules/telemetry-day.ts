/** What one message of telemetry says about one day in Japan, summed up for keeping. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { OwnNumbers } from '../../protocol/messages/own-numbers.ts';
import { fromColumn, type Telemetry } from '../../protocol/messages/telemetry.ts';
import { dayAfter, daysBetween, japanDay } from './japan-day.ts';

/** An agent keeps a week of unsent days (agent/rules/telemetry/day.ts); what is older than two is no telemetry of today's. */
export const oldestDays = 14;
/** A factory reset begins a new epoch in the middle of a day; nobody resets a gateway four times a day. */
export const messagesPerDay = 4;
/** Days in Japan that are kept: a quarter, and room to look back at it. */
export const daysKept = 100;

const hourMs = 3_600_000;
/** Beyond any counter of a home gateway; four such sums still are safe numbers. */
const mostOfADay = 2 ** 48;

export type TargetDay = {
  readonly target: RandomId;
  readonly hoursUp: number;
  readonly memoryPeakKiB: number;
  readonly restarts: number;
  readonly dataKiB: number;
  readonly deniedConnections: number;
  readonly own: OwnNumbers;
};
export type TelemetryDay = {
  /** `YYYY-MM-DD` in Japan */
  readonly day: string;
  readonly hours: number;
  readonly rssPeakKiB: number;
  readonly controlBytes: number;
  readonly reconnects: number;
  readonly targets: readonly TargetDay[];
};

/** @throws TsugiteError MESSAGE_MALFORMED: not hours of one day, a day to come or long past, numbers beyond reason */
export function readDay(telemetry: Telemetry, nowMs: number): TelemetryDay {
  const { agent, targets } = telemetry;
  const day = verifyDay(telemetry, nowMs);
  return {
    day,
    hours: fromColumn(agent.rssKiB).filter((kib) => kib > 0).length,
    rssPeakKiB: peakOf(agent.rssKiB),
    controlBytes: sumOf(agent.controlBytes),
    reconnects: sumOf(agent.reconnects),
    targets: targets.map(({ target, up, memoryPeakKiB, restarts, dataKiB, deniedConnections, own = {} }) => ({
      target,
      hoursUp: up,
      memoryPeakKiB: peakOf(memoryPeakKiB),
      restarts: sumOf(restarts),
      dataKiB: peakOf(dataKiB),
      deniedConnections: sumOf(deniedConnections),
      own,
    })),
  };
}

function verifyDay({ from, stepS, agent }: Telemetry, nowMs: number): string {
  const fromMs = Date.parse(from);
  const untilMs = fromMs + agent.rssKiB.length * hourMs;
  const day = japanDay(fromMs);
  const today = japanDay(nowMs);
  if (stepS !== 3600 || fromMs % hourMs !== 0) throw refused('stepS', 'not by the hour');
  if (agent.rssKiB.length === 0 || untilMs > Date.parse(`${dayAfter(day)}T00:00:00+09:00`))
    throw refused('agent', 'not hours of one day in Japan');
  if (day > today) throw refused('from', 'the day has not begun');
  if (daysBetween(day, today) > oldestDays) throw refused('from', `more than ${oldestDays} days ago`);
  return day;
}

function peakOf(column: readonly number[]): number {
  return reasonable(Math.max(...fromColumn(column)));
}

function sumOf(column: readonly number[]): number {
  return reasonable(fromColumn(column).reduce((sum, value) => sum + value, 0));
}

function reasonable(value: number): number {
  if (value > mostOfADay) throw refused('agent, targets', 'numbers beyond reason');
  return value;
}

function refused(field: string, fault: string): TsugiteError {
  return new TsugiteError('MESSAGE_MALFORMED', { what: 'telemetry', faults: [{ field, fault }] });
}

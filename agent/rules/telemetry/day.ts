/**
 * What was measured and not yet sent: a row of days in Japan, each with one number an hour in every column. An hour in which nothing was measured (the
 * gateway was off) is zeros, and so is recognised: an agent that runs always has memory.
 */
import { type GatewayId, type RandomId, toUtcTime, type UtcTime } from '../../../protocol/fields.ts';
import { limits } from '../../../protocol/limits.ts';
import { type OwnNumbers, ownNumbersKept } from '../../../protocol/messages/own-numbers.ts';
import { endOfDayMs, hourMs, japanDateOf, startOfHourMs } from './hours.ts';

export type TargetSample = {
  target: RandomId;
  memoryPeakKiB: number;
  restarts: number;
  dataKiB: number;
  deniedConnections: number;
  own?: OwnNumbers;
};
/** Of one hour, or of the part of it in which the agent ran. */
export type Sample = {
  agent: { rssKiB: number; controlBytes: number; reconnects: number };
  targets: readonly TargetSample[];
};

export type TargetDay = {
  target: RandomId;
  memoryPeakKiB: readonly number[];
  restarts: readonly number[];
  dataKiB: readonly number[];
  deniedConnections: readonly number[];
  own?: OwnNumbers;
};
export type TelemetryDay = {
  /** Start of the first hour that was measured. */
  from: UtcTime;
  agent: { rssKiB: readonly number[]; controlBytes: readonly number[]; reconnects: readonly number[] };
  targets: readonly TargetDay[];
};
export type Journal = {
  v: 1;
  /** Whose measurements these are. */
  gateway: GatewayId;
  /** Oldest first; the last one may still be going on. */
  days: readonly TelemetryDay[];
  /** End of the newest day that was sent: a clock that goes back must not begin it a second time. */
  sentUntil: UtcTime | null;
};

/** A week without a server is remembered, no more: what is older tells nothing that anybody would still act on. */
export const finishedDaysKept = 7;

export function emptyJournal(gateway: GatewayId): Journal {
  return { v: 1, gateway, days: [], sentUntil: null };
}

export function endOfMs({ from }: TelemetryDay): number {
  return endOfDayMs(Date.parse(from));
}

/** `2026-11-22`, in Japan. */
export function dayOf(day: TelemetryDay): string {
  return japanDateOf(endOfMs(day) - 1);
}

/** Adds what was measured in the hour of `atMs`. A second sample of one hour (the agent was restarted in it) joins the first. */
export function addSample(journal: Journal, atMs: number, sample: Sample): Journal {
  if (journal.sentUntil !== null && atMs < Date.parse(journal.sentUntil)) return journal;
  const last = journal.days.at(-1);
  if (last === undefined || atMs >= endOfMs(last)) {
    const fresh: TelemetryDay = {
      from: toUtcTime(startOfHourMs(atMs)),
      agent: { rssKiB: [], controlBytes: [], reconnects: [] },
      targets: [],
    };
    return { ...journal, days: [...journal.days, put(fresh, 0, sample)] };
  }
  // A clock that was set back: until it has caught up, everything counts for the last hour that stands there.
  const hour = Math.max(Math.floor((atMs - Date.parse(last.from)) / hourMs), last.agent.rssKiB.length - 1);
  return { ...journal, days: [...journal.days.slice(0, -1), put(last, hour, sample)] };
}

/** Forgets what a clock wrote that was far ahead; else no hour would be new until that time has come. */
export function withoutFuture(journal: Journal, nowMs: number): Journal {
  const isPossible = (time: UtcTime) => Date.parse(time) <= nowMs + 24 * hourMs;
  const { sentUntil } = journal;
  return {
    ...journal,
    days: journal.days.filter(({ from }) => isPossible(from)),
    sentUntil: sentUntil === null || isPossible(sentUntil) ? sentUntil : null,
  };
}

/** @returns the newest days, and those that had to go */
export function keepNewest(journal: Journal, nowMs: number): { journal: Journal; dropped: readonly TelemetryDay[] } {
  const finished = journal.days.filter((day) => endOfMs(day) <= nowMs);
  const dropped = finished.slice(0, -finishedDaysKept);
  return { journal: { ...journal, days: journal.days.filter((day) => !dropped.includes(day)) }, dropped };
}

export function withoutDay(journal: Journal, sent: TelemetryDay): Journal {
  return { ...journal, days: journal.days.filter(({ from }) => from !== sent.from), sentUntil: toUtcTime(endOfMs(sent)) };
}

function put(day: TelemetryDay, hour: number, { agent, targets }: Sample): TelemetryDay {
  const known = new Map(day.targets.map((target) => [target.target, target]));
  for (const sample of targets) known.set(sample.target, putTarget(known.get(sample.target), hour, sample));
  return {
    from: day.from,
    agent: {
      rssKiB: highest(day.agent.rssKiB, hour, agent.rssKiB),
      controlBytes: summed(day.agent.controlBytes, hour, agent.controlBytes),
      reconnects: summed(day.agent.reconnects, hour, agent.reconnects),
    },
    targets: [...known.values()].slice(-limits.targetsPerNotice),
  };
}

function putTarget(day: TargetDay | undefined, hour: number, sample: TargetSample): TargetDay {
  const own = day?.own === undefined && sample.own === undefined ? undefined : newestNames({ ...day?.own, ...sample.own });
  return {
    target: sample.target,
    memoryPeakKiB: highest(day?.memoryPeakKiB, hour, sample.memoryPeakKiB),
    restarts: summed(day?.restarts, hour, sample.restarts),
    dataKiB: highest(day?.dataKiB, hour, sample.dataKiB),
    deniedConnections: summed(day?.deniedConnections, hour, sample.deniedConnections),
    ...(own !== undefined && { own }),
  };
}

function newestNames(own: OwnNumbers): OwnNumbers {
  return Object.fromEntries(Object.entries(own).slice(-ownNumbersKept));
}

const highest = (column: readonly number[] | undefined, hour: number, value: number) =>
  putAt(column, hour, (before) => Math.max(before, value));
const summed = (column: readonly number[] | undefined, hour: number, value: number) => putAt(column, hour, (before) => before + value);

/** Hours between the last one and this are zeros: nothing was measured in them. */
function putAt(column: readonly number[] = [], hour: number, combine: (before: number) => number): number[] {
  const padded = [...column, ...Array<number>(Math.max(0, hour + 1 - column.length)).fill(0)];
  return padded.with(hour, combine(padded[hour] ?? 0));
}

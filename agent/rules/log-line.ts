import { describe, type ErrorCode } from '../../protocol/errors.ts';
import type { EventEntry, EventLevel } from './events.ts';

export type LoggedEvent = {
  event: string;
  code?: ErrorCode;
  target?: string;
  software?: string;
  version?: string;
  state?: string;
  detail?: Readonly<Record<string, unknown>>;
};

export type LogLine = {
  level: EventLevel;
  event: string;
  number?: string;
  code?: string;
  target?: string;
  software?: string;
  version?: string;
  model: string;
  state?: string;
  detail?: Readonly<Record<string, unknown>>;
  who?: string;
  ja: string;
  en: string;
};

/** What the log says about an event: its fields, and one sentence in each language with the reason behind it. */
export function toLogLine(logged: LoggedEvent, entry: EventEntry, model: string): LogLine {
  const { event, code, target, software, version, state, detail } = logged;
  const reason = code === undefined ? undefined : describe(code, detail);
  const values = { ...detail, ...logged };
  return {
    level: entry.level,
    event,
    ...(reason && { number: reason.number, code: reason.code }),
    ...(target !== undefined && { target }),
    ...(software !== undefined && { software }),
    ...(version !== undefined && { version }),
    model,
    ...(state !== undefined && { state }),
    ...(detail !== undefined && { detail }),
    ...(reason && { who: reason.who }),
    ja: fill(entry.ja, values) + (reason?.ja ?? ''),
    en: [fill(entry.en, values), ...(reason === undefined ? [] : [reason.en])].join(' '),
  };
}

function fill(sentence: string, values: Readonly<Record<string, unknown>>): string {
  return sentence.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? '?'));
}

import { readFileSync } from 'node:fs';
import type { TsugiteError } from '../../protocol/errors.ts';
import { systemClock as clock } from '../adapters/clock.ts';
import { makeDataFolder } from '../adapters/data-folder.ts';
import { makeEventLog } from '../adapters/event-log.ts';
import type { AgentConfig } from '../config.ts';
import type { LogEvent } from '../ports.ts';
import { type EventEntry, events } from '../rules/events.ts';
import { toLogLine } from '../rules/log-line.ts';

/** An event that nobody wrote into the catalogue is still told; a test holds the names in the code to it. */
const unknownEvent: EventEntry = { level: 'warn', ja: '（{event}）', en: '({event})' };

export function toFields(event: LogEvent, model: string) {
  const entry: EventEntry = Object.hasOwn(events, event.event) ? events[event.event as keyof typeof events] : unknownEvent;
  return toLogLine(event, entry, model);
}

/** The log of a data folder. Until trusted time is there, `time` is what the wall says. */
export function openLog(dataDir: string, { model, log }: Pick<AgentConfig, 'model' | 'log'>) {
  makeDataFolder(dataDir);
  let nowMs = () => clock.wallMs();
  const eventLog = makeEventLog({ dataDir, clock, nowMs: () => nowMs(), toFields: (event) => toFields(event, model), minLevel: log.level });

  return {
    log: eventLog,
    /** A file of ours was unreadable, and its copy is used. */
    onDamage: ({ code, detail }: TsugiteError) => eventLog.write({ event: 'state.damaged', code, detail }),
    useTime(trusted: () => number) {
      nowMs = trusted;
    },
  };
}

/** Of the machine, not of the agent: 32 hex digits. */
export function readBootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').replaceAll('-', '').trim();
}

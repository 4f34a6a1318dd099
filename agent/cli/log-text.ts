import { describe } from '../../protocol/errors.ts';
import type { LogEntry } from '../adapters/log-reader.ts';
import { type Level, levels } from './arguments.ts';

export type ShownEntry = LogEntry & Readonly<Record<string, unknown>>;

export type Wanted = { sinceMs: number; software?: string | undefined; level?: Level | undefined };

/** The wanted entries; where numbers are missing between two, an entry says so (E904), whatever is wanted: what is lost may have been that. */
export function selectEntries(entries: readonly LogEntry[], wanted: Wanted): ShownEntry[] {
  return entries.flatMap((entry, index) => {
    if (Date.parse(entry.time) < wanted.sinceMs) return [];
    const before = entries[index - 1];
    const isGap = before !== undefined && entry.seq > before.seq + 1 && entry.event !== 'log.gap';
    return [...(isGap ? [gapBetween(before, entry)] : []), ...(isWanted(entry, wanted) ? [entry] : [])];
  });
}

/** Of that software, or of the gateway as a whole when none is named; at that level or above. */
export function isWanted(entry: ShownEntry, { software, level = 'debug' }: Omit<Wanted, 'sinceMs'>): boolean {
  const rank = levels.findIndex((name) => name === entry.level);
  const isOfSoftware = software === undefined || entry.software === software;
  // A level that another version of the agent wrote is shown rather than lost.
  return isOfSoftware && (rank === -1 || rank >= levels.indexOf(level));
}

function gapBetween(before: LogEntry, after: LogEntry): ShownEntry {
  const { number, code, ja, en } = describe('LOG_GAP');
  return {
    time: after.time,
    seq: before.seq + 1,
    level: 'warn',
    event: 'log.gap',
    number,
    code,
    ja,
    en,
    detail: { from: before.seq + 1, to: after.seq - 1 },
  };
}

/** `YYYY-MM-DD HH:MM:SS message`, as real gateways list their fault log. */
export function entryLine({ time, number, software, version, ja }: ShownEntry): string {
  const named = [software, version].filter((part) => part !== undefined).join(' ');
  return `${time.slice(0, 19).replace('T', ' ')}  ${[number, named, ja].filter((part) => part !== undefined && part !== '').join('  ')}`;
}

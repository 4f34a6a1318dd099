import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Cancel, Clock, EventLog, LogEvent } from '../ports.ts';
import { makeFolder, readFileIfAny, replaceFile } from './durable-file.ts';

/** Real gateways keep 1,000 entries; two files of so many hold at least that at any time. */
const entriesPerFile = 1_000;
const lineBytes = 4 * 1024;
/** Numbers are reserved on disk in steps, so that one write in so many costs a sync. */
const reservedAtOnce = 64;
const idleMs = 2_000;

type Fields = { level: 'debug' | 'info' | 'warn' | 'error' } & Readonly<Record<string, unknown>>;
type Outside = {
  dataDir: string;
  clock: Clock;
  /** Trusted time: a log that begins in 1970 helps nobody. */
  nowMs: () => number;
  toFields: (event: LogEvent) => Fields;
  minLevel?: Fields['level'];
  /** Which boot of the machine this is: what a process wrote before it was killed is kept by the kernel, but not over a power cut. */
  bootId?: string;
};

/** What is known to be on disk (`synced`), and up to where numbers may have been given out (`upTo`). */
type Mark = { synced: number; upTo: number; bootId: string };

export type ClosableEventLog = EventLog & { close(): void };

/** `<data>/log/agent.log` and `agent.log.1`: JSON lines with `seq` without gaps, or the gap is itself an entry (E904). */
export function makeEventLog({ dataDir, clock, nowMs, toFields, minLevel = 'info', bootId = readBootId() }: Outside): ClosableEventLog {
  const folder = join(dataDir, 'log');
  makeFolder(folder, 0o700);
  const path = join(folder, 'agent.log');
  const markPath = join(folder, 'seq.json');
  const before = readSeqs(path) ?? readSeqs(`${path}.1`) ?? { last: 0, entries: 0, endsWhole: true };
  const mark = readMark(markPath);
  let entries = readSeqs(path)?.entries ?? 0;
  let file = openSync(path, 'a', 0o600);
  let seq = before.last;
  let upTo = 0;
  let cancelIdle: Cancel = () => {};

  const logger = pino(
    {
      base: null,
      level: minLevel,
      timestamp: () => `,"time":"${new Date(nowMs()).toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => append(line) },
  );

  function append(line: string): void {
    if (entries >= entriesPerFile) rotate();
    writeSync(file, line);
    entries += 1;
  }

  function rotate(): void {
    fsyncSync(file);
    closeSync(file);
    renameSync(path, `${path}.1`);
    file = openSync(path, 'a', 0o600);
    entries = 0;
  }

  function saveMark(next: Pick<Mark, 'synced' | 'upTo'>): void {
    replaceFile(markPath, JSON.stringify({ ...next, bootId } satisfies Mark));
    upTo = next.upTo;
  }

  function write(event: LogEvent): void {
    const { level, ...fields } = toFields(event);
    if (!logger.isLevelEnabled(level)) return;
    try {
      if (seq + 1 > upTo) saveMark({ synced: seq, upTo: seq + reservedAtOnce });
      seq += 1;
      const line = { seq, ...fields };
      logger[level](Buffer.byteLength(JSON.stringify(line)) > lineBytes ? { ...line, detail: { cut: true } } : line);
    } catch {
      // A full disk must not end the agent. The number is spent, so the loss shows as a gap.
    }
    cancelIdle();
    cancelIdle = clock.after(idleMs, settle);
  }

  /** Nothing was written for a while: what stands is made durable, and no number stays reserved that a power cut could turn into a gap. */
  function settle(): void {
    try {
      fsyncSync(file);
      saveMark({ synced: seq, upTo: seq });
    } catch {
      // As above.
    }
  }

  if (!before.endsWhole) writeSync(file, '\n');
  const lostUpTo = mark === undefined ? 0 : mark.bootId === bootId ? mark.synced : mark.upTo;
  if (lostUpTo > seq) {
    const from = seq + 1;
    seq = lostUpTo;
    write({ event: 'log.gap', code: 'LOG_GAP', detail: { from, to: lostUpTo } });
  }

  return {
    write,
    close() {
      cancelIdle();
      settle();
      closeSync(file);
    },
  };
}

function readSeqs(path: string): { last: number; entries: number; endsWhole: boolean } | undefined {
  const text = readFileIfAny(path)?.toString('utf8');
  if (text === undefined || text === '') return undefined;
  const lines = text.split('\n').filter((line) => line !== '');
  const seqs = lines.flatMap((line) => /"seq":(\d{1,15})[,}]/.exec(line)?.[1] ?? []).map(Number);
  return { last: Math.max(0, ...seqs.slice(-1)), entries: lines.length, endsWhole: text.endsWith('\n') };
}

function readMark(path: string): Mark | undefined {
  try {
    const { synced, upTo, bootId } = JSON.parse(readFileIfAny(path)?.toString('utf8') ?? '') as Partial<Mark>;
    return Number.isSafeInteger(synced) && Number.isSafeInteger(upTo)
      ? { synced: Number(synced), upTo: Number(upTo), bootId: String(bootId) }
      : undefined;
  } catch {
    // Written in one step by us; a broken flash cell costs only the knowledge of a gap.
    rmSync(path, { force: true });
    return undefined;
  }
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

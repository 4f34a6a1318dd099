import { join } from 'node:path';
import { readFileIfAny } from './durable-file.ts';

export type LogEntry = Readonly<Record<string, unknown>> & { seq: number; time: string };

/** Oldest first, both files. Lines that a power cut tore are left out: the missing numbers tell. */
export function readLog(dataDir: string): LogEntry[] {
  return ['agent.log.1', 'agent.log'].flatMap((name) => parseLines(readFileIfAny(join(dataDir, 'log', name))?.toString('utf8') ?? ''));
}

function parseLines(text: string): LogEntry[] {
  return text.split('\n').flatMap((line) => {
    try {
      const entry: unknown = JSON.parse(line);
      return isEntry(entry) ? [entry] : [];
    } catch {
      return [];
    }
  });
}

function isEntry(value: unknown): value is LogEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'seq' in value &&
    typeof value.seq === 'number' &&
    'time' in value &&
    typeof value.time === 'string'
  );
}

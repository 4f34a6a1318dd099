/** Standard output and error of an app, as bounded lines. */

import type { Readable } from 'node:stream';
import type { Clock } from '../../ports.ts';
import { freshBudget, maxLineBytes, takeBytes, takeLine } from '../../rules/output-budget.ts';

export type OutputLine = { stream: 'stdout' | 'stderr'; text: string; droppedBefore: number };

const newline = 0x0a;

/** @param onLine  gets at most a few lines a second, each cut to 1 KiB */
export function captureOutput(source: Readable, stream: OutputLine['stream'], clock: Clock, onLine: (line: OutputLine) => void): void {
  let budget = freshBudget(clock.monotonicMs());
  let line = Buffer.alloc(0);

  const endLine = () => {
    const taken = takeLine(budget, clock.monotonicMs());
    budget = taken.budget;
    const text = line.toString('utf8').trimEnd();
    line = Buffer.alloc(0);
    if (taken.isKept && text !== '') onLine({ stream, text, droppedBefore: taken.droppedBefore });
  };
  const add = (bytes: Buffer) => {
    const room = maxLineBytes - line.length;
    if (room > 0) line = Buffer.concat([line, bytes.subarray(0, room)]);
  };

  source.on('data', (chunk: Buffer) => {
    const taken = takeBytes(budget, clock.monotonicMs(), chunk.length);
    budget = taken.budget;
    for (let rest = chunk; ; ) {
      const end = rest.indexOf(newline);
      add(end < 0 ? rest : rest.subarray(0, end));
      if (end < 0) break;
      endLine();
      rest = rest.subarray(end + 1);
    }
    if (taken.pauseMs <= 0) return;
    source.pause();
    clock.after(taken.pauseMs, () => source.resume());
  });
  source.on('end', endLine);
  source.on('error', () => {});
}

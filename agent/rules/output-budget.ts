/** How much of an app's standard output is kept, and how fast it is read at all: a chatty app must cost neither the log's space nor the agent's time. */

export type OutputBudget = {
  readonly windowStartMs: number;
  readonly readBytes: number;
  readonly keptLines: number;
  readonly droppedLines: number;
};

const windowMs = 1_000;
export const maxReadBytesPerWindow = 256 * 1024;
const maxKeptLinesPerWindow = 20;
export const maxLineBytes = 1_024;

export function freshBudget(nowMs: number): OutputBudget {
  return { windowStartMs: nowMs, readBytes: 0, keptLines: 0, droppedLines: 0 };
}

/** @returns how long not to read: the app then waits in its own write, as with any slow reader */
export function takeBytes(budget: OutputBudget, nowMs: number, bytes: number): { budget: OutputBudget; pauseMs: number } {
  const current = rolled(budget, nowMs);
  const readBytes = current.readBytes + bytes;
  const pauseMs = readBytes > maxReadBytesPerWindow ? current.windowStartMs + windowMs - nowMs : 0;
  return { budget: { ...current, readBytes }, pauseMs };
}

/** @returns `droppedBefore`: lines that were left out since the last kept one, to be told with it */
export function takeLine(budget: OutputBudget, nowMs: number): { budget: OutputBudget; isKept: boolean; droppedBefore: number } {
  const current = rolled(budget, nowMs);
  if (current.keptLines >= maxKeptLinesPerWindow)
    return { budget: { ...current, droppedLines: current.droppedLines + 1 }, isKept: false, droppedBefore: 0 };
  return { budget: { ...current, keptLines: current.keptLines + 1, droppedLines: 0 }, isKept: true, droppedBefore: current.droppedLines };
}

function rolled(budget: OutputBudget, nowMs: number): OutputBudget {
  return nowMs - budget.windowStartMs < windowMs ? budget : { ...freshBudget(nowMs), droppedLines: budget.droppedLines };
}

/** How committed software is started again after it ended by itself. Its back-off never gives up: a household does not press a button. */
const firstDelayMs = 1_000;
const longestDelayMs = 5 * 60_000;
/** After so long without an end the software counts as well again. */
export const wellAfterMs = 10 * 60_000;
/** So many ends in a row are a crash loop (E602), reported once. */
export const crashesOfALoop = 5;

export type CrashHistory = { inARow: number; lastEndMs: number };

export const noCrashes: CrashHistory = { inARow: 0, lastEndMs: Number.NEGATIVE_INFINITY };

/** @param startedMs  when the instance that ended was started, on the monotonic clock like `endedMs` */
export function afterCrash(
  history: CrashHistory,
  startedMs: number,
  endedMs: number,
): { history: CrashHistory; delayMs: number; becameLoop: boolean } {
  const inARow = endedMs - startedMs >= wellAfterMs ? 1 : history.inARow + 1;
  const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (inARow - 1));
  return { history: { inARow, lastEndMs: endedMs }, delayMs, becameLoop: inARow === crashesOfALoop };
}

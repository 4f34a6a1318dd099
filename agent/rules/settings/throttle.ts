/**
 * How long the next try of a password has to wait. One count for the whole gateway: a guesser in the home can take as many addresses as it likes.
 * The household's own wait is bounded for the same reason.
 */
export type Throttle = { failures: number; lastMs: number };

export const noFailures: Throttle = { failures: 0, lastMs: Number.NEGATIVE_INFINITY };

const freeTries = 5;
const firstWaitMs = 30_000;
const longestWaitMs = 15 * 60_000;
/** After so long without a failure the count begins anew. */
const forgottenMs = 60 * 60_000;

export function waitMs({ failures, lastMs }: Throttle, nowMs: number): number {
  if (failures < freeTries || nowMs - lastMs >= forgottenMs) return 0;
  const waits = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(20, failures - freeTries));
  return Math.max(0, lastMs + waits - nowMs);
}

export function afterFailure({ failures, lastMs }: Throttle, nowMs: number): Throttle {
  return { failures: nowMs - lastMs >= forgottenMs ? 1 : failures + 1, lastMs: nowMs };
}

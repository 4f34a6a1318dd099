/**
 * How long to wait before the next attempt. A flapping line must end in longer waits, not in a bill: besides the usual doubling, reconnects
 * have an allowance of bytes that grows through the month, and once it is spent the wait grows with the debt.
 */

export type BackOffPolicy = { readonly firstMs: number; readonly longestMs: number };

export const reconnectPolicy: BackOffPolicy = { firstMs: 1_000, longestMs: 5 * 60_000 };

/**
 * Full jitter: anything between nothing and the doubled ceiling, so that a fleet which lost its server together does not come back together.
 *
 * @param failures  attempts that failed in a row, 1 or more
 * @param random    in [0, 1)
 */
export function jitteredDelayMs(failures: number, random: number, { firstMs, longestMs }: BackOffPolicy): number {
  const ceilingMs = Math.min(longestMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1)));
  return Math.floor(random * ceilingMs);
}

export type ReconnectSpending = {
  /** What reconnecting and failed attempts have cost in this month. */
  readonly spentBytes: number;
  readonly monthElapsedMs: number;
  readonly monthLengthMs: number;
  readonly targetBytes: number;
  readonly ceilingReached: boolean;
};

/** A quarter of the month's target may go into reconnecting, 50 connects of it at any time: 3 MB leave 250 connects a month. */
const reconnectShare = 0.25;
const burstBytes = 50 * 3_000;
const longestDebtWaitMs = 60 * 60_000;
/** Stops and removals come over the connection, so even a gateway at its ceiling asks for it six times a day (about 0.5 MB a month). */
const waitAtCeilingMs = 4 * 60 * 60_000;

/** The wait that the ledger asks for; the longer of this and the jittered delay counts. */
export function debtDelayMs({ spentBytes, monthElapsedMs, monthLengthMs, targetBytes, ceilingReached }: ReconnectSpending): number {
  if (ceilingReached) return waitAtCeilingMs;
  const bytesPerMs = (targetBytes * reconnectShare) / monthLengthMs;
  const debtBytes = spentBytes - burstBytes - bytesPerMs * monthElapsedMs;
  return debtBytes <= 0 ? 0 : Math.min(longestDebtWaitMs, Math.ceil(debtBytes / bytesPerMs));
}

/** @returns the wait before attempt `failures + 1`, spread by up to a tenth when the ledger set it */
export function reconnectDelayMs(
  failures: number,
  random: number,
  spending: ReconnectSpending,
  policy: BackOffPolicy = reconnectPolicy,
): number {
  const debtMs = debtDelayMs(spending);
  return Math.max(jitteredDelayMs(failures, random, policy), Math.floor(debtMs * (1 + random / 10)));
}

/**
 * How far one outbox is acknowledged: everything up to the mark stands in the database. The gateway forgets what was acknowledged, so the mark
 * never passes a report that may still come.
 *
 * A gateway sends its outbox lowest number first after each connect. So what it sends first on a new connection says that nothing lower is
 * outstanding: numbers below that were reserved and never used, or acknowledged by a server whose database was restored since.
 *
 * @param mark      up to here everything is acknowledged; undefined before the first report of this outbox
 * @param stored    numbers above `mark` that the database holds, `seq` among them, in rising order
 */
export function decideMark(
  mark: number | undefined,
  { seq, isFirstOnConnection, stored }: { seq: number; isFirstOnConnection: boolean; stored: readonly number[] },
): number {
  let upTo = mark ?? 0;
  if (isFirstOnConnection) upTo = Math.max(upTo, seq - 1);
  for (const number of stored) if (number === upTo + 1) upTo = number;
  return upTo;
}

/** The first repeat of a gateway comes two minutes after the first sending (DESIGN §6); a broker repeats within seconds of its reconnect. */
const resentAfterMs = 60_000;

/**
 * Through an outside broker no connection is seen, so another sign must say that nothing lower is outstanding: the gateway sends again, of its own
 * accord, what is already the lowest that we hold. It repeats whatever lies below first, and that has not come in either round.
 *
 * @param stored  numbers above the mark that the database holds, in rising order
 */
export function isSentAgain(
  { seq, firstReceivedMs, nowMs }: { seq: number; firstReceivedMs: number | undefined; nowMs: number },
  stored: readonly number[],
): boolean {
  return firstReceivedMs !== undefined && nowMs - firstReceivedMs >= resentAfterMs && stored[0] === seq;
}

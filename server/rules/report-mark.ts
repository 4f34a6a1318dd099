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

/** When a new list of revoked gateway certificates is worth making. */

const dayMs = 86_400_000;
/**
 * A broker keeps every list that it ever read in memory until it is restarted (OpenSSL's store), so what happens every day is put together: a renewed
 * certificate is for the same key as the one before, which ends by itself a month later.
 */
const routineEveryMs = dayMs;

export type Revoked = {
  readonly serial: string;
  readonly sinceMs: number;
  /** Its gateway is blocked, or goes on with another key: whoever holds this one must not come in any more. */
  readonly isUrgent: boolean;
};
export type LastCrl = { readonly serials: readonly string[]; readonly madeAtMs: number } | undefined;

/**
 * @param revoked  every certificate that is revoked and has not expired
 * @param inForce  every one that stands in the last list and is good again: its gateway was unblocked
 */
export function isNewCrlDue(
  last: LastCrl,
  { revoked, inForce }: { revoked: readonly Revoked[]; inForce: readonly string[] },
  nowMs: number,
) {
  if (last === undefined || inForce.length > 0) return true;
  const listed = new Set(last.serials);
  if (revoked.some(({ serial, isUrgent }) => isUrgent && !listed.has(serial))) return true;
  const isSame = revoked.length === listed.size && revoked.every(({ serial }) => listed.has(serial));
  return !isSame && nowMs - last.madeAtMs >= routineEveryMs;
}

/** A reader takes the newer of two lists by this time, in whole seconds. */
export function crlTimeMs(last: LastCrl, nowMs: number): number {
  const second = Math.floor(nowMs / 1000) * 1000;
  return last === undefined ? second : Math.max(second, last.madeAtMs + 1000);
}

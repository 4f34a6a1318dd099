/** How long an access token lives: every one ends, so one that was forgotten somewhere opens nothing for ever. */

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const minuteMs = 60_000;

export const tokenDays = { unlessSaid: 90, most: 365 } as const;
/** A token that its holder replaced is good for a while longer: whoever still has the old one in hand finishes. */
export const overlapMinutes = { unlessSaid: 10, most: 1_440 } as const;
/** When a token was last used is known to the hour: telling it more exactly would be a write for every request. */
const useKnownToMs = hourMs;

export function tokenEndsMs(nowMs: number, days: number = tokenDays.unlessSaid): number {
  return nowMs + days * dayMs;
}

/** The old token's end once it was replaced; never later than it would have been. */
export function replacedEndsMs(nowMs: number, endsMs: number, minutes: number = overlapMinutes.unlessSaid): number {
  return Math.min(endsMs, nowMs + minutes * minuteMs);
}

export function isUseWorthWriting(lastUsedMs: number | undefined, nowMs: number): boolean {
  return lastUsedMs === undefined || nowMs - lastUsedMs >= useKnownToMs;
}

/**
 * How long software may run and its data stay, by dates alone (DOMAIN D-19; DESIGN §4, §5).
 *
 * A notice leases each target for 37 days and is renewed every 7: what a gateway misses in 30 days stops nothing, and a cancelled gateway that nobody
 * can reach stops by itself. Software that has outgrown its plan runs on for 30 days, then stops. Neither deletes anything at once: data are purged
 * `dataGraceDays` after the last lease has ended, by the gateway itself.
 */

const dayMs = 86_400_000;

/** D-19: no outage shorter than this stops anything. */
const outageDays = 30;
/** D-19: how often a notice is renewed though nothing has changed. */
export const refreshMs = 7 * dayMs;
/** D-19: an outage may begin right before a renewal. */
export const leaseMs = outageDays * dayMs + refreshMs;
/** After a lower plan the larger software that runs stays this long. */
const planGraceMs = 30 * dayMs;

export function entitledUntilMs(issuedMs: number): number {
  return issuedMs + leaseMs;
}

/** From then on the gateway deletes what it was not told to keep. */
export function purgedFromMs(lastEntitledUntilMs: number, dataGraceDays: number): number {
  return lastEntitledUntilMs + dataGraceDays * dayMs;
}

export type LeaseState =
  | { readonly kind: 'never' } // in no notice yet
  | { readonly kind: 'running'; readonly untilMs: number }
  | { readonly kind: 'stopped'; readonly purgeMs: number } // as far as the gateway heard from us last: it stands, its data stay
  | { readonly kind: 'purged' };

/** What the dates alone make of a target that has heard nothing since its last lease. */
export function leaseStateAt(lastEntitledUntilMs: number | undefined, dataGraceDays: number, nowMs: number): LeaseState {
  if (lastEntitledUntilMs === undefined) return { kind: 'never' };
  if (nowMs < lastEntitledUntilMs) return { kind: 'running', untilMs: lastEntitledUntilMs };
  const purgeMs = purgedFromMs(lastEntitledUntilMs, dataGraceDays);
  return nowMs < purgeMs ? { kind: 'stopped', purgeMs } : { kind: 'purged' };
}

/** The version that runs, and the plan that is in force from now on. */
export type GraceCase = {
  readonly runningBytes: number | undefined;
  /** Exclusive (未満). */
  readonly planLimitBytes: number;
  readonly graceUntilMs: number | undefined;
};

/**
 * Until when software that its plan no longer covers may run on; undefined: it is covered, or nothing runs. A further lowering does not begin a new
 * time: whoever lowers the plan every month would never stop.
 */
export function graceUntilAt({ runningBytes, planLimitBytes, graceUntilMs }: GraceCase, nowMs: number): number | undefined {
  if (runningBytes === undefined || runningBytes < planLimitBytes) return undefined;
  return graceUntilMs ?? nowMs + planGraceMs;
}

/** What to say to a gateway that has just come online and tells which notice it has applied (DESIGN §4). */

export type Applied = { readonly version: number; readonly sha256: string } | null;
export type Newest = { readonly version: number; readonly sha256: string; readonly expiresMs: number } | undefined;

export type BirthDecision =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'send-again' }
  /** `aheadVersion`: the gateway has applied one that we do not know, so the counter jumps above it. */
  | { readonly kind: 'publish-new'; readonly aheadVersion: number };

export function decideOnBirth(applied: Applied, newest: Newest, nowMs: number): BirthDecision {
  const appliedVersion = applied?.version ?? 0;
  if (newest === undefined || appliedVersion > newest.version) return { kind: 'publish-new', aheadVersion: appliedVersion };
  // Same number, other bytes: after a restore the same version was made twice. The gateway refuses ours (E211) until a higher one comes.
  if (appliedVersion === newest.version && applied?.sha256 !== newest.sha256) return { kind: 'publish-new', aheadVersion: appliedVersion };
  if (nowMs >= newest.expiresMs) return { kind: 'publish-new', aheadVersion: 0 };
  return appliedVersion === newest.version ? { kind: 'nothing' } : { kind: 'send-again' };
}

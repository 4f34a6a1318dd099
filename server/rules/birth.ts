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

/** What we hold of the birth that we heard last; all null before the first. */
export type LastBirth = {
  readonly epoch: string | null;
  readonly bootId: string | null;
  readonly appliedVersion: number | null;
  readonly appliedSha256: string | null;
};
export type ReplayDecision = 'known' | 'take' | 'have-it-said-again';

/**
 * A birth that an outside broker shows because it had retained it. It may be the one that we answered weeks ago, one that we have missed, or, after
 * a crash of the broker, one that a later one has replaced since: of another epoch nobody can tell which, and a wrong guess would look like a gateway
 * that was reset. So it is made to say it again.
 */
export function decideReplay(
  last: LastBirth | undefined,
  birth: { readonly epoch: string; readonly bootId: string; readonly appliedNotice: Applied },
): ReplayDecision {
  if (last === undefined || last.epoch === null) return 'take';
  if (last.epoch !== birth.epoch) return 'have-it-said-again';
  const isSame =
    last.bootId === birth.bootId &&
    last.appliedVersion === (birth.appliedNotice?.version ?? null) &&
    last.appliedSha256 === (birth.appliedNotice?.sha256 ?? null);
  return isSame ? 'known' : 'take';
}

/** A change that stops or removes much needs a second person (DESIGN §4). */
import type { RandomId } from '../../protocol/fields.ts';

export const approvalHours = 72;

/** How many targets one person may end at once. */
export function mostWithoutApproval(openTargets: number): number {
  return Math.max(10, Math.floor(openTargets / 100));
}

export type ApprovalCase = {
  readonly decision: 'approved' | 'declined' | null;
  readonly expiresMs: number;
  /** Whoever proposed it: for contract events, whoever entered them. */
  readonly proposers: readonly RandomId[];
  readonly approver: RandomId;
  /** Each token by the one that issued it. */
  readonly issuerOf: ReadonlyMap<RandomId, RandomId>;
};
export type ApprovalDecision =
  | { readonly kind: 'approve' }
  | { readonly kind: 'refuse'; readonly why: 'same-hand' | 'approved' | 'declined' | 'expired' };

/**
 * Whoever issued a token has held it, so a token, those that it issued and the one that issued it are one hand: otherwise one stolen token would
 * issue its own second person.
 */
export function decideApproval(it: ApprovalCase, nowMs: number): ApprovalDecision {
  if (it.decision !== null) return { kind: 'refuse', why: it.decision };
  if (nowMs >= it.expiresMs) return { kind: 'refuse', why: 'expired' };
  const isOneHand = it.proposers.some(
    (proposer) => isIssuedBy(proposer, it.approver, it.issuerOf) || isIssuedBy(it.approver, proposer, it.issuerOf),
  );
  return isOneHand ? { kind: 'refuse', why: 'same-hand' } : { kind: 'approve' };
}

/** True also for the token itself. */
function isIssuedBy(token: RandomId, issuer: RandomId, issuerOf: ReadonlyMap<RandomId, RandomId>): boolean {
  const seen = new Set<RandomId>();
  for (let at: RandomId | undefined = token; at !== undefined && !seen.has(at); at = issuerOf.get(at)) {
    if (at === issuer) return true;
    seen.add(at);
  }
  return false;
}

/**
 * 「ソフトウェアの内容に関してお客さまから苦情など申告があった場合は、第三者機関の倫理審査を受けていただきます。」: which complaint leads to a review, and
 * what its end does (DOMAIN §5.3, D-12). What a review stops meanwhile stands in `softwareAllows` of software-states.ts.
 */
import { nextSoftwareState, type SoftwareState } from './software-states.ts';

/** `report`: whatever else somebody reports about the content, who need not be its customer. */
export type ComplaintKind = keyof typeof leadsToReview;

/** Disputes about money or quality are the provider's own (「係争などについては、事業者が責任をもって対応」): written down, no case. */
export const leadsToReview = { content: true, report: true, billing: false, quality: false, other: false } as const;

export type ComplaintDecision =
  | { readonly kind: 'open-case' }
  /** One case at a time: its reviewer hears of this complaint too. */
  | { readonly kind: 'join-case' }
  | { readonly kind: 'record'; readonly why: 'no-review' | 'not-delivered' };

export function decideComplaint(kind: ComplaintKind, state: SoftwareState, hasOpenCase: boolean): ComplaintDecision {
  if (!leadsToReview[kind]) return { kind: 'record', why: 'no-review' };
  if (hasOpenCase) return { kind: 'join-case' };
  // Of a failed review too: whoever wants it reviewed anew opens another case.
  const isDelivered = state === 'UNDER_REVIEW' || nextSoftwareState(state, 'complained') !== undefined;
  return isDelivered ? { kind: 'open-case' } : { kind: 'record', why: 'not-delivered' };
}

export type Verdict = 'passed' | 'failed';
export type VerdictDecision =
  | { readonly kind: 'resume' }
  | { readonly kind: 'prohibit' }
  /** The software ended meanwhile, by another word. */
  | { readonly kind: 'record' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly why: Verdict };

/** @param decided  the verdict that the case has already */
export function decideVerdict(verdict: Verdict, decided: Verdict | null, state: SoftwareState): VerdictDecision {
  if (decided !== null && decided !== verdict) return { kind: 'refuse', why: decided };
  if (verdict === 'failed') {
    // Said again, it carries out what a crash or a declined approval has left.
    if (state === 'UNDER_REVIEW') return { kind: 'prohibit' };
    return { kind: decided === null ? 'record' : 'repeat' };
  }
  if (decided !== null) return { kind: 'repeat' };
  return { kind: state === 'UNDER_REVIEW' ? 'resume' : 'record' };
}

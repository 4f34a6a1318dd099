/** Whether a certificate that the device CA has issued may be used now (DESIGN §4). The TLS handshake has proven its private key already. */
import { renewableDaysExpired } from './enrolment.ts';

const dayMs = 86_400_000;

export type Standing = {
  readonly isBlocked: boolean;
  /** A newer certificate of this gateway was used since: a lost renewal answer locks nobody out, and a copy of the old key opens nothing. */
  readonly isCutOff: boolean;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly isUsedBefore: boolean;
};

export type UseDecision =
  | { readonly kind: 'allow'; readonly isFirstUse: boolean }
  | { readonly kind: 'refuse'; readonly why: 'unknown' | 'blocked' | 'cut-off' | 'expired' | 'not-yet-valid' };

/**
 * @param standing  undefined: not issued by us to this gateway
 * @param purpose   a renewal is the one thing that an expired certificate is still good for
 */
export function decideUse(standing: Standing | undefined, purpose: 'connect' | 'renew', nowMs: number): UseDecision {
  if (standing === undefined) return { kind: 'refuse', why: 'unknown' };
  if (standing.isBlocked) return { kind: 'refuse', why: 'blocked' };
  if (standing.isCutOff) return { kind: 'refuse', why: 'cut-off' };
  if (nowMs < standing.notBeforeMs) return { kind: 'refuse', why: 'not-yet-valid' };
  const lastMs = standing.notAfterMs + (purpose === 'renew' ? renewableDaysExpired * dayMs : 0);
  if (nowMs > lastMs) return { kind: 'refuse', why: 'expired' };
  return { kind: 'allow', isFirstUse: !standing.isUsedBefore };
}

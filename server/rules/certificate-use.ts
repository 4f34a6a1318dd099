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

/** One that may be in use: issued to this gateway, not cut off, not expired. */
export type Candidate = { readonly serial: string; readonly keyid: string; readonly isUsedBefore: boolean };

export type BirthUse =
  /** No certificate in force could have opened this connection. */
  { readonly kind: 'unexplained' } | { readonly kind: 'nothing-new' } | { readonly kind: 'first-use'; readonly serial: string };

/**
 * An outside broker proves that a gateway is connected by *a* certificate of its own, and does not tell which. While none was ever used and all are
 * for one key (a first enrolment that was answered more than once), that key has been used: the token is spent. The oldest then stands for all, since
 * what is older than the used one is cut off, and the gateway may hold any. With more than one key, or after a renewal, nothing can be told from here:
 * the gateway's next HTTPS request shows its certificate.
 *
 * @param candidates  oldest first
 */
export function decideBirthUse(candidates: readonly Candidate[]): BirthUse {
  const [oldest] = candidates;
  if (oldest === undefined) return { kind: 'unexplained' };
  const isTold = candidates.every(({ isUsedBefore, keyid }) => !isUsedBefore && keyid === oldest.keyid);
  return isTold ? { kind: 'first-use', serial: oldest.serial } : { kind: 'nothing-new' };
}

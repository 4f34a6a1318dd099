/** What a customer has agreed to (DOMAIN §2, §12, D-17): which of it is in force, and what ends when it is taken back. */
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';

/**
 * `delivery`: its software is brought to the gateway and kept there · `reasonsToProvider`: the provider may read why it is not (else E100) ·
 * `diagnostics`: the operator may fetch a diagnostic bundle.
 */
export const consentScopes = ['delivery', 'reasonsToProvider', 'diagnostics'] as const;
export type ConsentScope = (typeof consentScopes)[number];

/** DOMAIN §12: the resident's, per request; one that was given on paper ends as one that was given on the page. */
export const diagnosticsHours = 24;

export type ConsentRecord = {
  readonly id: RandomId;
  /** null: given to the operator (diagnostics only). */
  readonly provider: ProviderId | null;
  /** null: every software of the provider. */
  readonly software: SoftwareId | null;
  readonly scopes: readonly ConsentScope[];
  readonly givenAtMs: number;
  readonly withdrawn: readonly { readonly scope: ConsentScope; readonly atMs: number }[];
};

export function scopesInForce({ scopes, givenAtMs, withdrawn }: ConsentRecord, nowMs: number): ConsentScope[] {
  return scopes.filter((scope) => {
    if (withdrawn.some((one) => one.scope === scope && one.atMs <= nowMs)) return false;
    return scope !== 'diagnostics' || nowMs < givenAtMs + diagnosticsHours * 3_600_000;
  });
}

export function isAbout({ provider, software }: ConsentRecord, of: { provider: ProviderId; software: SoftwareId }): boolean {
  return provider === of.provider && (software === null || software === of.software);
}

/** What is in force of a customer towards one software, all papers together. */
export function scopesTowards(
  records: readonly ConsentRecord[],
  of: { provider: ProviderId; software: SoftwareId },
  nowMs: number,
): ReadonlySet<ConsentScope> {
  return new Set(records.filter((record) => isAbout(record, of)).flatMap((record) => scopesInForce(record, nowMs)));
}

/**
 * A delivery rests on the customer's application. With the last consent to it taken back the ground is gone, so the target ends (廃止: stopped,
 * removed, data purged). To suspend it would leave the provider's software running in a home that said no. What was delivered without an application,
 * because its provider needs none, rests on no consent and stays.
 */
export const withdrawnDeliveryEnds = true;

export type RestingTarget = {
  readonly target: RandomId;
  readonly provider: ProviderId;
  readonly software: SoftwareId;
  readonly isConsentRequired: boolean;
};

/** @param records  with the withdrawal in them */
export function endedByWithdrawal(records: readonly ConsentRecord[], open: readonly RestingTarget[], nowMs: number): RandomId[] {
  if (!withdrawnDeliveryEnds) return [];
  return open
    .filter(({ isConsentRequired }) => isConsentRequired)
    .filter((one) => records.some((record) => isAbout(record, one) && record.scopes.includes('delivery')))
    .filter((one) => !scopesTowards(records, one, nowMs).has('delivery'))
    .map(({ target }) => target);
}

export type ConsentDecision =
  | { readonly kind: 'record' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'refuse'; readonly why: 'withdrawn' | 'other-scopes' };

/** The same paper again is the same consent; a paper that was taken back, or says something else now, needs another number. */
export function decideConsent(known: ConsentRecord | undefined, scopes: readonly ConsentScope[]): ConsentDecision {
  if (known === undefined) return { kind: 'record' };
  if (known.withdrawn.some(({ scope }) => scopes.includes(scope))) return { kind: 'refuse', why: 'withdrawn' };
  const isSame = [...known.scopes].sort().join() === [...new Set(scopes)].sort().join();
  return isSame ? { kind: 'repeat' } : { kind: 'refuse', why: 'other-scopes' };
}

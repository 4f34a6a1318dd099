/** What was confirmed on site, as contract facts (DOMAIN §4.1, D-13): these and no others can be learned from a gateway. */
import { type Confirmed, type ConfirmItem, confirmedBy } from '../../protocol/messages/confirmation.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { SiteFacts } from './contract-events.ts';

const factsOf: { readonly [Item in ConfirmItem]: (value: Extract<Confirmed, { item: Item }>['value']) => Partial<SiteFacts> } = {
  'office-equipment': (officeEq) => ({ officeEq }),
};

/** @returns undefined for a report that confirms nothing we know */
export function factsConfirmed(report: Pick<Report, 'kind' | 'detail'>): Partial<SiteFacts> | undefined {
  const confirmed = confirmedBy(report);
  return confirmed && factsOf[confirmed.item](confirmed.value);
}

export type ConfirmationDecision = { readonly kind: 'record' } | { readonly kind: 'ignore'; readonly why: 'known' | 'overtaken' };

/** @param later  reports of the same outbox with a higher number that are here already: this one was sent again after them */
export function decideConfirmation(
  confirmed: Partial<SiteFacts>,
  known: SiteFacts,
  later: readonly Pick<Report, 'kind' | 'detail'>[],
): ConfirmationDecision {
  const names = Object.keys(confirmed) as (keyof SiteFacts)[];
  if (later.some((report) => names.some((name) => Object.hasOwn(factsConfirmed(report) ?? {}, name))))
    return { kind: 'ignore', why: 'overtaken' };
  return names.every((name) => known[name] === confirmed[name]) ? { kind: 'ignore', why: 'known' } : { kind: 'record' };
}

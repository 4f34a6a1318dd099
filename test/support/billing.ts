/** Facts for the billing rules: what a test does not say is menu 1, plan 1, one software of one provider. */
import { type RandomId, randomId, type SoftwareId, softwareId } from '../../protocol/fields.ts';
import { type PriceTable, sheetPrices, type WorkKind } from '../../protocol/price-tables.ts';
import { megabyteBytes, menuOf, planOf } from '../../protocol/pricing.ts';
import type { ChargedSoftware, CompletedWork } from '../../server/rules/billing-lines.ts';
import { isWorkChargedIn } from '../../server/rules/billing-period.ts';
import { type BillingReadings, defaultReadings } from '../../server/rules/billing-readings.ts';
import type { ChargedTarget } from '../../server/rules/billing-targets.ts';
import { type Invoice, invoiceOf } from '../../server/rules/invoice.ts';
import { monthStartMs } from '../../server/rules/japan-month.ts';
import { openMonthAccount } from '../../server/rules/month-account.ts';

export const heater: SoftwareId = softwareId.parse('heater.acme');
/** `2026-04-01 09:00` in Japan; a day alone is its noon. */
export const jst = (text: string): number =>
  Date.parse(`${text.length === 10 ? `${text} 12:00` : text}`.replace(' ', 'T').concat('+09:00'));

/** A class from when on; the newest that is in force at a month's first moment counts, as the history in the database has it. */
export type Sized = { readonly since: number; readonly bytes: number };
export type Software = {
  software?: SoftwareId;
  registered: number;
  cancelledOn?: string;
  stored?: number | readonly Sized[];
  unitBytes?: number;
};
export type Targets = {
  software?: SoftwareId;
  count?: number;
  ready: number | null;
  requested?: number;
  endedOn?: string;
  installed?: number | readonly Sized[];
  site?: RandomId;
  unitBytes?: number;
};
export type Works = { completed: number; items: readonly (readonly [SoftwareId, WorkKind])[] };
export type Facts = { software?: readonly Software[]; targets?: readonly Targets[]; works?: readonly Works[] };
type Terms = { tables?: readonly PriceTable[]; readings?: Partial<BillingReadings>; closed?: readonly string[] };

let ids = 0;
const anId = () => {
  ids += 1;
  return randomId.parse(`t${String(ids).padStart(19, '0')}`);
};

/** What the provider is charged for in a month, as its invoice. */
export function invoiceFor(month: string, { software = [], targets = [], works = [] }: Facts, terms: Terms = {}): Invoice {
  const readings = { ...defaultReadings, ...terms.readings };
  const account = openMonthAccount(month, { tables: terms.tables ?? [sheetPrices], readings });
  for (const one of software) account.addSoftware(charged(month, one));
  const bySite = new Map<RandomId, ChargedTarget[]>();
  for (const group of targets)
    for (let left = group.count ?? 1; left > 0; left -= 1) {
      const one = target(month, group);
      bySite.set(one.site, [...(bySite.get(one.site) ?? []), one]);
    }
  for (const site of bySite.values()) account.addSite(site);
  const closed = new Set(terms.closed ?? []);
  for (const work of works) if (isWorkChargedIn(month, work.completed, closed)) account.addWork(order(work));
  return invoiceOf({
    month,
    issuedOn: '2026-12-01',
    issuer: { name: '運用者', registrationNumber: 'T1234567890123', address: null, contact: null },
    recipient: { provider: 'acme' as never, name: 'アクメ株式会社' },
    readings,
    lines: account.lines(),
  });
}

function charged(month: string, it: Software): ChargedSoftware {
  const { unitBytes = megabyteBytes } = it;
  const storedBytes = inForce(month, it.stored ?? 4_000_000, it.registered);
  return {
    software: it.software ?? heater,
    registeredAtMs: it.registered,
    endedOn: it.cancelledOn ?? null,
    menuClass: storedBytes === undefined ? null : { menu: menuOf(storedBytes, unitBytes), storedBytes, unitBytes },
  };
}

function target(month: string, it: Targets): ChargedTarget {
  const { unitBytes = megabyteBytes } = it;
  const requestedAtMs = it.requested ?? it.ready ?? 0;
  const installedBytes = inForce(month, it.installed ?? 1_000_000, requestedAtMs);
  return {
    target: anId(),
    software: it.software ?? heater,
    site: it.site ?? anId(),
    requestedAtMs,
    readyAtMs: it.ready,
    endedOn: it.endedOn ?? null,
    planClass: installedBytes === undefined ? null : { plan: planOf(installedBytes, unitBytes), installedBytes, unitBytes },
  };
}

function order({ completed, items }: Works): CompletedWork {
  return { workOrder: anId(), completedAtMs: completed, items: items.map(([software, work]) => ({ software, work })) };
}

function inForce(month: string, sizes: number | readonly Sized[], since: number): number | undefined {
  const history = typeof sizes === 'number' ? [{ since, bytes: sizes }] : sizes;
  return history.filter((size) => size.since <= monthStartMs(month)).at(-1)?.bytes;
}

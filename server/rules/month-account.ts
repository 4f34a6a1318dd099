/** One provider's account of one month: facts go in, in any order, and come out as the lines of its invoice. */
import { type PriceTable, priceTableOf } from '../../protocol/price-tables.ts';
import { baseLine, type ChargedSoftware, type CompletedWork, type InvoiceLine, workLines } from './billing-lines.ts';
import type { BillingReadings } from './billing-readings.ts';
import { type ChargedTarget, chargesOfSite, makeTargetTally, type TargetCharge } from './billing-targets.ts';
import type { IssuerSettings } from './invoice.ts';
import { japanMonth } from './japan-month.ts';

/** What the configuration says about billing. */
export type BillingSettings = Pricing & { readonly issuer: IssuerSettings };
export type Pricing = { readonly tables: readonly PriceTable[]; readonly readings: BillingReadings };

/** @throws TsugiteError PRICE_TABLE_MISSING; its functions also BILLING_CLASS_MISSING */
export function openMonthAccount(month: string, { tables, readings }: Pricing) {
  const prices = priceTableOf(month, tables);
  const tally = makeTargetTally(prices);
  const lines: InvoiceLine[] = [];
  return {
    addSoftware(software: ChargedSoftware): void {
      const line = baseLine(month, software, prices);
      if (line !== undefined) lines.push(line);
    },
    /** One that is due in this month (`isWorkChargedIn`), at the prices of the month in which it was completed. */
    addWork(work: CompletedWork): void {
      lines.push(...workLines(work, priceTableOf(japanMonth(work.completedAtMs), tables)));
    },
    /** All targets of the provider at one site. @returns what each owes, for the invoice's details */
    addSite(targets: readonly ChargedTarget[]): TargetCharge[] {
      const charges = chargesOfSite(month, targets, prices, readings);
      for (const charge of charges) tally.add(charge);
      return charges;
    },
    lines: (): InvoiceLine[] => [...lines, ...tally.lines()],
  };
}

/** What one provider is charged for in one month, as lines of an invoice (DOMAIN §3.3). Each line says by which rule, class, size, unit and time (B-11). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { PriceTable, WorkKind } from '../../protocol/price-tables.ts';
import { baseFeeYen, isMenuGrey, mebibyteBytes, type PriceClass } from '../../protocol/pricing.ts';
import { type ChargedPeriod, isChargedIn } from './billing-period.ts';
import { japanTime } from './japan-day.ts';

export const chargeRules = {
  'base-monthly': { ja: '基本利用料', en: 'base fee of a month', of: 'B-1 B-2 B-3 B-4 B-6' },
  'target-monthly': { ja: '配信対象ごと加算料', en: 'add-on fee of a month, a target', of: 'B-1 B-2 B-3 B-4 B-6 B-10' },
  'contract-once': { ja: '契約料', en: 'contract fee', of: 'B-7' },
  'work-basic': { ja: '基本工事費', en: 'basic work fee, a work order', of: 'B-7' },
  'work-switch': { ja: '交換機等工事費', en: 'switch work fee, a software in a work order', of: 'B-7' },
} as const satisfies Record<string, { ja: string; en: string; of: string }>;
export type ChargeRule = keyof typeof chargeRules;

export type InvoiceLine = {
  readonly rule: ChargeRule;
  /** null: due for a work order, or for all software of a site, as a whole. */
  readonly software: SoftwareId | null;
  readonly workOrder: RandomId | null;
  readonly work: WorkKind | null;
  readonly menu: PriceClass | null;
  readonly plan: PriceClass | null;
  readonly measuredBytes: number | null;
  readonly unit: 'MB' | 'MiB' | null;
  /** Of what is charged, its registration; of a work, its completion. The first and the last of several. Japan time. */
  readonly registeredFrom: string;
  readonly registeredTo: string;
  readonly quantity: number;
  readonly unitYen: number;
  readonly amountYen: number;
  readonly taxPercent: number;
  readonly priceTable: string;
  readonly flags: readonly 'SIZE_UNIT_GREY'[];
};

/** D-35: what was stored at the month's first moment: its class is the month's, and a package shared by two models counts once. */
export type MenuClass = { readonly menu: PriceClass; readonly storedBytes: number; readonly unitBytes: number };
export type ChargedSoftware = ChargedPeriod & { readonly software: SoftwareId; readonly menuClass: MenuClass | null };
export type CompletedWork = {
  readonly workOrder: RandomId;
  readonly completedAtMs: number;
  readonly items: readonly { readonly software: SoftwareId; readonly work: WorkKind }[];
};

/** B-3, B-9: from the software's own registration on, whatever state it is in. @throws TsugiteError BILLING_CLASS_MISSING */
export function baseLine(month: string, it: ChargedSoftware, prices: PriceTable): InvoiceLine | undefined {
  if (!isChargedIn(month, it)) return undefined;
  if (it.menuClass === null) throw new TsugiteError('BILLING_CLASS_MISSING', { month, subjects: [it.software] });
  const { menu, storedBytes, unitBytes } = it.menuClass;
  const unitYen = baseFeeYen(menu, prices);
  const registered = japanTime(it.registeredAtMs);
  return {
    ...nothing(prices),
    rule: 'base-monthly',
    software: it.software,
    menu,
    measuredBytes: storedBytes,
    unit: unitOf(unitBytes),
    registeredFrom: registered,
    registeredTo: registered,
    unitYen,
    amountYen: unitYen,
    flags: isMenuGrey(storedBytes) ? ['SIZE_UNIT_GREY'] : [],
  };
}

/**
 * D-33: 「1工事ごと」 is one work order, of one software or more: 基本工事費 once for it, the others once for each software in it (B-7); due with its
 * completion (D-22).
 *
 * @param prices  those of the month of completion
 */
export function workLines({ workOrder, completedAtMs, items }: CompletedWork, prices: PriceTable): InvoiceLine[] {
  const completed = japanTime(completedAtMs);
  const line = (rule: ChargeRule, unitYen: number, of: Partial<InvoiceLine> = {}): InvoiceLine => ({
    ...nothing(prices),
    rule,
    workOrder,
    registeredFrom: completed,
    registeredTo: completed,
    unitYen,
    amountYen: unitYen,
    ...of,
  });
  if (items.length === 0) return [];
  return [
    line('work-basic', prices.basicWorkYen),
    ...items.flatMap(({ software, work }) => [
      ...(work === 'new' ? [line('contract-once', prices.contractYen, { software, work })] : []),
      line('work-switch', prices.switchWorkYen[work], { software, work }),
    ]),
  ];
}

export function unitOf(unitBytes: number): 'MB' | 'MiB' {
  return unitBytes === mebibyteBytes ? 'MiB' : 'MB';
}

/** A line of quantity 1 that says nothing yet. */
export function nothing({ taxPercent, name }: PriceTable) {
  return {
    software: null,
    workOrder: null,
    work: null,
    menu: null,
    plan: null,
    measuredBytes: null,
    unit: null,
    quantity: 1,
    taxPercent,
    priceTable: name,
    flags: [],
  } as const;
}

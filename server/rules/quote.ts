/** What a work order would cost, before anything is registered: once, by the month, and from which month on. */
import type { SoftwareId } from '../../protocol/fields.ts';
import type { PriceTable, WorkKind } from '../../protocol/price-tables.ts';
import { priceTableOf } from '../../protocol/price-tables.ts';
import {
  baseFeeYen,
  isMenuGrey,
  isPlanGrey,
  mebibyteBytes,
  megabyteBytes,
  menuOf,
  type PriceClass,
  planOf,
  targetFeeYen,
  taxInYen,
} from '../../protocol/pricing.ts';
import { unitOf, workLines } from './billing-lines.ts';
import { firstChargedMonth } from './billing-period.ts';
import { japanMonth } from './japan-month.ts';

/** One software of the order. */
export type QuoteItem = {
  readonly software: SoftwareId;
  readonly work: WorkKind;
  /** undefined: nothing of the software itself changes (その他変更). */
  readonly sizes: { readonly storedBytes: number; readonly installedBytes: number } | undefined;
  /** Targets that it will be delivered to. */
  readonly targets: number;
};
export type MonthlyFees = { readonly baseYen: number; readonly targetsYen: number; readonly totalYen: number };
export type QuotedItem = {
  readonly software: SoftwareId;
  readonly work: WorkKind;
  readonly oneOffYen: number;
  readonly sizes: QuotedSizes | null;
};
export type QuotedSizes = {
  readonly storedBytes: number;
  readonly installedBytes: number;
  readonly unit: 'MB' | 'MiB';
  readonly menu: PriceClass;
  readonly plan: PriceClass;
  readonly targets: number;
  /** 配信対象ごと加算料 of one target. */
  readonly targetYen: number;
  readonly monthly: MonthlyFees;
  /** `SIZE_UNIT_GREY`: with the other reading of "M" it would be `otherReading` (D-01). */
  readonly flags: readonly 'SIZE_UNIT_GREY'[];
  readonly otherReading: {
    readonly unit: 'MB' | 'MiB';
    readonly menu: PriceClass;
    readonly plan: PriceClass;
    readonly totalYen: number;
  } | null;
};
export type WorkQuote = {
  /** The month in which the one-off fees are due, were the work completed now (D-22). */
  readonly workMonth: string;
  /** From this month on the monthly fees are due (B-1, B-6), were it registered now. */
  readonly firstChargedMonth: string;
  readonly oneOff: {
    readonly contractYen: number;
    readonly basicWorkYen: number;
    readonly switchWorkYen: number;
    readonly totalYen: number;
    readonly taxYen: number;
  };
  readonly monthly: MonthlyFees & { readonly taxYen: number };
  readonly items: readonly QuotedItem[];
};

/** @throws TsugiteError SIZE_INVALID · SIZE_OVER_MENU · SIZE_OVER_PLAN · PRICE_TABLE_MISSING */
export function quoteWork(
  items: readonly QuoteItem[],
  { atMs, unitBytes, tables }: { atMs: number; unitBytes: number; tables: readonly PriceTable[] },
): WorkQuote {
  const [workMonth, first] = [japanMonth(atMs), firstChargedMonth(atMs)];
  const [prices, later] = [priceTableOf(workMonth, tables), priceTableOf(first, tables)];
  // An order's own lines: what is told before and what is charged after cannot differ.
  const lines = workLines({ workOrder: '' as never, completedAtMs: atMs, items }, prices);
  const sumOf = (wanted: (line: (typeof lines)[number]) => boolean) =>
    lines.filter(wanted).reduce((sum, { amountYen }) => sum + amountYen, 0);
  const quoted = items.map(({ software, work, sizes, targets }) => ({
    software,
    work,
    oneOffYen: sumOf((line) => line.software === software),
    sizes: sizes === undefined ? null : quotedSizes({ ...sizes, targets }, unitBytes, later),
  }));
  const monthly = added(quoted.flatMap(({ sizes: one }) => one?.monthly ?? []));
  const totalYen = sumOf(() => true);
  return {
    workMonth,
    firstChargedMonth: first,
    oneOff: {
      contractYen: sumOf(({ rule }) => rule === 'contract-once'),
      basicWorkYen: sumOf(({ rule }) => rule === 'work-basic'),
      switchWorkYen: sumOf(({ rule }) => rule === 'work-switch'),
      totalYen,
      taxYen: taxInYen(totalYen, prices.taxPercent),
    },
    monthly: { ...monthly, taxYen: taxInYen(monthly.totalYen, later.taxPercent) },
    items: quoted,
  };
}

type Sizes = { readonly storedBytes: number; readonly installedBytes: number; readonly targets: number };

function quotedSizes(sizes: Sizes, unitBytes: number, prices: PriceTable): QuotedSizes {
  const { storedBytes, installedBytes, targets } = sizes;
  const { menu, plan, monthly } = feesOf(sizes, unitBytes, prices);
  const isGrey = isMenuGrey(storedBytes) || isPlanGrey(installedBytes);
  return {
    storedBytes,
    installedBytes,
    unit: unitOf(unitBytes),
    menu,
    plan,
    targets,
    targetYen: targetFeeYen(plan, prices),
    monthly,
    flags: isGrey ? ['SIZE_UNIT_GREY'] : [],
    otherReading: isGrey ? otherReading(sizes, unitBytes, prices) : null,
  };
}

/** null: the other reading has no class for such a size. */
function otherReading(sizes: Sizes, unitBytes: number, prices: PriceTable): QuotedSizes['otherReading'] {
  const other = unitBytes === megabyteBytes ? mebibyteBytes : megabyteBytes;
  if (sizes.storedBytes >= 25 * other || 2 * sizes.installedBytes >= 15 * other) return null;
  const { menu, plan, monthly } = feesOf(sizes, other, prices);
  return { unit: unitOf(other), menu, plan, totalYen: monthly.totalYen };
}

function feesOf({ storedBytes, installedBytes, targets }: Sizes, unitBytes: number, prices: PriceTable) {
  const menu = menuOf(storedBytes, unitBytes);
  const plan = planOf(installedBytes, unitBytes);
  const baseYen = baseFeeYen(menu, prices);
  const targetsYen = targetFeeYen(plan, prices) * targets;
  return { menu, plan, monthly: { baseYen, targetsYen, totalYen: baseYen + targetsYen } };
}

function added(all: readonly MonthlyFees[]): MonthlyFees {
  return all.reduce(
    (sum, one) => ({
      baseYen: sum.baseYen + one.baseYen,
      targetsYen: sum.targetsYen + one.targetsYen,
      totalYen: sum.totalYen + one.totalYen,
    }),
    { baseYen: 0, targetsYen: 0, totalYen: 0 },
  );
}

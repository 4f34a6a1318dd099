/**
 * What the service costs (フレッツ・ジョイント 料金, yen, tax included): whole numbers only, because a fee is never a fraction.
 * Months, registrations and invoices are the server's matter; here a size becomes a class, and a class a fee.
 */
import { TsugiteError } from './errors.ts';
import { type PriceTable, sheetPrices, type WorkKind } from './price-tables.ts';

export type { WorkKind };
export type PriceClass = 1 | 2 | 3 | 4 | 5;

/** The sheet's "M": 10⁶ bytes by default, 2²⁰ as the other possible reading (DOMAIN D-01). */
export const megabyteBytes = 1_000_000;
export const mebibyteBytes = 1_048_576;

/**
 * The menu of what is stored on the delivery server: a menu holds sizes strictly below 5M, 10M … 25M (未満, D-02).
 *
 * @throws TsugiteError SIZE_INVALID (D-29) · SIZE_OVER_MENU: no class is printed for 25M and more (D-32)
 */
export function menuOf(storedBytes: number, unitBytes: number = megabyteBytes): PriceClass {
  assertSize(storedBytes);
  const menu = Math.floor(storedBytes / (5 * unitBytes)) + 1;
  if (!isPriceClass(menu)) throw new TsugiteError('SIZE_OVER_MENU', { limit: menuLimitBytes(5, unitBytes), actual: storedBytes });
  return menu;
}

/**
 * The plan of what lies on the gateway: a plan holds sizes strictly below 1.5M, 3M … 7.5M (未満, D-02).
 *
 * @throws TsugiteError SIZE_INVALID (D-29) · SIZE_OVER_PLAN: no class is printed for 7.5M and more (D-32)
 */
export function planOf(installedBytes: number, unitBytes: number = megabyteBytes): PriceClass {
  assertSize(installedBytes);
  // 2m and 3u instead of m and 1.5u: no fraction ever arises, whatever the unit is.
  const plan = Math.floor((2 * installedBytes) / (3 * unitBytes)) + 1;
  if (!isPriceClass(plan)) throw new TsugiteError('SIZE_OVER_PLAN', { limit: planLimitBytes(5, unitBytes), actual: installedBytes });
  return plan;
}

/** D-02: 未満 taken literally, so the bound itself is one class up. */
export function menuLimitBytes(menu: PriceClass, unitBytes: number = megabyteBytes): number {
  return 5 * menu * unitBytes;
}

/** Exclusive upper bound (未満) of plan 1–5. The unit is even, so the half is whole. */
export function planLimitBytes(plan: number, unitBytes: number = megabyteBytes): number {
  return (3 * plan * unitBytes) / 2;
}

/** 基本利用料 of a month. */
export function baseFeeYen(menu: PriceClass, prices: PriceTable = sheetPrices): number {
  return prices.menuMonthlyYen * menu;
}

/** 配信対象ごと加算料 of one software at one target site. */
export function targetFeeYen(plan: PriceClass, prices: PriceTable = sheetPrices): number {
  return prices.planMonthlyYen * plan;
}

/** One work order (工事) of one provider: the basic fee once, the others for each software in it. The contract fee is due with the first (新設) work. */
export function workOrderYen(works: readonly WorkKind[], prices: PriceTable = sheetPrices): number {
  if (works.length === 0) return 0;
  const { basicWorkYen, switchWorkYen, contractYen } = prices;
  return works.reduce((sum, work) => sum + switchWorkYen[work] + (work === 'new' ? contractYen : 0), basicWorkYen);
}

/**
 * The consumption tax contained in a total, a fraction of a yen dropped: asked once for all that was charged at a rate, so it is rounded once.
 * Every fee of the sheet is a multiple of 110, so at 10 % nothing is ever dropped.
 */
export function taxInYen(totalYen: number, taxPercent: number = sheetPrices.taxPercent): number {
  return Math.floor((totalYen * taxPercent) / (100 + taxPercent));
}

export type Quote = {
  menu: PriceClass;
  plan: PriceClass;
  oneOff: { contractYen: number; basicWorkYen: number; switchWorkYen: number; totalYen: number };
  monthly: { baseYen: number; targetsYen: number; totalYen: number };
  /** `SIZE_UNIT_GREY`: the other reading of "M" would give a lower class; an invoice line says so. */
  flags: readonly 'SIZE_UNIT_GREY'[];
};

/**
 * One software's fees: `monthly` from the month after its registration, `oneOff` for a work order that holds nothing else.
 *
 * @param targets    target sites, 0 or more
 * @param unitBytes  the "M" in force
 * @param prices     the table in force
 * @throws TsugiteError SIZE_INVALID · SIZE_OVER_MENU · SIZE_OVER_PLAN · INPUT_REFUSED (`targets` is not a count)
 */
export function quote(
  { storedBytes, installedBytes, targets, work }: { storedBytes: number; installedBytes: number; targets: number; work: WorkKind },
  unitBytes: number = megabyteBytes,
  prices: PriceTable = sheetPrices,
): Quote {
  if (!Number.isSafeInteger(targets) || targets < 0)
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'targets', fault: 'not a whole number of 0 or more' }] });
  const menu = menuOf(storedBytes, unitBytes);
  const plan = planOf(installedBytes, unitBytes);
  const { contractYen, basicWorkYen, switchWorkYen } = prices;
  const fees = { contractYen: work === 'new' ? contractYen : 0, basicWorkYen, switchWorkYen: switchWorkYen[work] };
  const monthly = { baseYen: baseFeeYen(menu, prices), targetsYen: targetFeeYen(plan, prices) * targets };
  return {
    menu,
    plan,
    oneOff: { ...fees, totalYen: workOrderYen([work], prices) },
    monthly: { ...monthly, totalYen: monthly.baseYen + monthly.targetsYen },
    flags: isMenuGrey(storedBytes) || isPlanGrey(installedBytes) ? ['SIZE_UNIT_GREY'] : [],
  };
}

/** True when the two readings of "M" disagree about the menu, a refusal counting as one more class. */
export function isMenuGrey(storedBytes: number): boolean {
  return (
    Math.floor(storedBytes / (5 * megabyteBytes)) !== Math.floor(storedBytes / (5 * mebibyteBytes)) && storedBytes < 25 * mebibyteBytes
  );
}

/** True when the two readings of "M" disagree about the plan, a refusal counting as one more class. */
export function isPlanGrey(installedBytes: number): boolean {
  const doubled = 2 * installedBytes;
  return Math.floor(doubled / (3 * megabyteBytes)) !== Math.floor(doubled / (3 * mebibyteBytes)) && doubled < 15 * mebibyteBytes;
}

/** D-29: 0 bytes, less than nothing and no number at all have no class. */
function assertSize(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes <= 0) throw new TsugiteError('SIZE_INVALID', { actual: bytes });
}

/** D-32: the sheet prints five classes and no price beyond them: what is larger is refused (E302, E303). */
function isPriceClass(value: number): value is PriceClass {
  return value >= 1 && value <= 5;
}

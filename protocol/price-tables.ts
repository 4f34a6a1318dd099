/**
 * What the service's price sheet (料金表) prints, with the months it counts in. A new price or a new tax rate is a new table, never a changed one:
 * what was closed under the old one must come out the same for ever.
 */
import { TsugiteError } from './errors.ts';

/** 新設工事, 変更工事, その他変更工事. */
export type WorkKind = 'new' | 'change' | 'other';

/** Yen, tax included (内税). */
export type PriceTable = {
  readonly name: string;
  /** First month in Japan, `YYYY-MM`. A later table takes over from its own first month. */
  readonly validFrom: string;
  /** Last month; null: until further notice. */
  readonly validTo: string | null;
  /** 消費税率 that is contained in the prices. */
  readonly taxPercent: number;
  /** メニュー1; menu n costs n times as much. */
  readonly menuMonthlyYen: number;
  /** プラン1; plan n costs n times as much. */
  readonly planMonthlyYen: number;
  /** 契約料, once a software. */
  readonly contractYen: number;
  /** 基本工事費, once a work order. */
  readonly basicWorkYen: number;
  /** 交換機等工事費, a software. */
  readonly switchWorkYen: Readonly<Record<WorkKind, number>>;
};

/** The sheet's prices. They contain 10 % of tax, a rate that came into force on 2019-10-01; what was charged before is not printed there. */
export const sheetPrices: PriceTable = {
  name: 'sheet-2019-10',
  validFrom: '2019-10',
  validTo: null,
  taxPercent: 10,
  menuMonthlyYen: 11_000,
  planMonthlyYen: 110,
  contractYen: 880,
  basicWorkYen: 1_100,
  switchWorkYen: { new: 27_500, change: 25_300, other: 4_400 },
};

/**
 * The table of a month: of those that count in it, the one that began last.
 *
 * @param month  `YYYY-MM` in Japan
 * @throws TsugiteError PRICE_TABLE_MISSING
 */
export function priceTableOf(month: string, tables: readonly PriceTable[] = [sheetPrices]): PriceTable {
  const inForce = tables
    .filter(({ validFrom, validTo }) => validFrom <= month && (validTo === null || month <= validTo))
    .reduce<PriceTable | undefined>((best, table) => (best === undefined || table.validFrom >= best.validFrom ? table : best), undefined);
  if (inForce === undefined) throw new TsugiteError('PRICE_TABLE_MISSING', { month });
  return inForce;
}

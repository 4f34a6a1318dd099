/**
 * The dated tables that eligibility is decided from (D-16): which lines and which gateway series the sheet lists, and from when to when.
 * Dates are days in Japan, `validTo` is the last day. The sheet says 「現時点では」: a change of the list is a new row here, never a change of a rule.
 */

import { parseModelName, type SeriesEntry, seriesCatalogue } from '../../protocol/gateway-models.ts';
import { dayAfter } from './japan-day.ts';

export type Line = 'LIGHT_PLUS' | 'LIGHT' | 'NEXT_GIGA_SMART' | 'NEXT_GIGA_LINE' | 'NEXT_OTHER' | 'CROSS' | 'NONE';
export type CatalogueProfile = keyof typeof eligibilityCatalogues;

type Validity = {
  readonly validFrom: string;
  readonly validTo?: string;
  /** The last day on which a delivery could be newly ordered here; what was ordered by then goes on until `validTo`. */
  readonly newOrdersUntil?: string;
};
export type EligibilityCatalogue = {
  readonly profile: string;
  readonly lines: readonly (Validity & { readonly line: Line })[];
  readonly series: readonly (SeriesEntry & Pick<Validity, 'newOrdersUntil'>)[];
};
/** What is asked of a row: may what was ordered go on, or may something new be ordered? */
export type Asked = 'service' | 'new-order';

/** Shown to people in place of the code. */
export const lineNames = {
  LIGHT_PLUS: { ja: 'フレッツ 光ライトプラス', en: "FLET'S Hikari Light Plus" },
  LIGHT: { ja: 'フレッツ 光ライト', en: "FLET'S Hikari Light" },
  NEXT_GIGA_SMART: {
    ja: 'フレッツ 光ネクスト ギガファミリー／ギガマンション・スマートタイプ',
    en: "FLET'S Hikari Next Giga Family/Mansion Smart Type",
  },
  NEXT_GIGA_LINE: {
    ja: 'フレッツ 光ネクスト ファミリー／マンション・ギガラインタイプ',
    en: "FLET'S Hikari Next Family/Mansion Giga Line Type",
  },
  NEXT_OTHER: { ja: 'フレッツ 光ネクスト', en: "FLET'S Hikari Next" },
  CROSS: { ja: 'フレッツ 光クロス', en: "FLET'S Hikari Cross" },
  NONE: { ja: 'ご契約なし', en: 'no line' },
} as const satisfies Record<Line, { ja: string; en: string }>;

// The sheet tells no first day for any row: the service's own first day stands for "from the beginning".
const serviceStart = '2011-08-02';
const seedLines = ['LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER'] as const;
const lightEnds = '2025-03-31'; // remaining lines were moved to Hikari Next on the next day

/** D-16: two profiles of dated rows. A line that is moved by the operator changes its kind and is judged anew; it is not 解約. */
export const eligibilityCatalogues = {
  /** As printed. */
  seed: {
    profile: 'seed',
    lines: seedLines.map((line) => ({ line, validFrom: serviceStart })),
    series: seriesCatalogue,
  },
  /** As printed, with what ended since. */
  current: {
    profile: 'current',
    lines: seedLines.map((line) => ({
      line,
      validFrom: serviceStart,
      ...(line === 'LIGHT' || line === 'LIGHT_PLUS' ? { validTo: lightEnds } : {}),
    })),
    series: seriesCatalogue,
  },
} as const satisfies Record<string, EligibilityCatalogue>;

export function linesOn(catalogue: EligibilityCatalogue, day: string, asked: Asked = 'service'): ReadonlySet<Line> {
  return new Set(rowsOn(catalogue.lines, day, asked).map(({ line }) => line));
}

export function seriesOn(catalogue: EligibilityCatalogue, day: string, asked: Asked = 'service'): readonly string[] {
  return rowsOn(catalogue.series, day, asked).map(({ series }) => series);
}

/** The days on which a row enters or has left: everybody's eligibility is looked at again. */
export function changesOn({ lines, series }: EligibilityCatalogue): readonly string[] {
  const rows: readonly Validity[] = [...lines, ...series];
  return rows.flatMap(({ validFrom, validTo }) => [validFrom, ...(validTo === undefined ? [] : [dayAfter(validTo)])]);
}

export type Standing = 'in-force' | 'no-new-orders' | 'not-yet' | 'ended';

export function standingOn(row: Validity, day: string): Standing {
  if (day < row.validFrom) return 'not-yet';
  if (row.validTo !== undefined && row.validTo < day) return 'ended';
  return row.newOrdersUntil !== undefined && row.newOrdersUntil < day ? 'no-new-orders' : 'in-force';
}

/** `PR-400KI` is of the series `PR-400`: the last two letters name the maker (DOMAIN §8.1). Undefined: no name of that form. */
export function seriesOf(model: string): string | undefined {
  return parseModelName(model)?.series;
}

function rowsOn<Row extends Validity>(rows: readonly Row[], day: string, asked: Asked): readonly Row[] {
  const wanted: readonly Standing[] = asked === 'service' ? ['in-force', 'no-new-orders'] : ['in-force'];
  return rows.filter((row) => wanted.includes(standingOn(row, day)));
}

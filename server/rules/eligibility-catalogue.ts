/**
 * The dated tables that eligibility is decided from (D-16): which lines and which gateway series the sheet lists, and from when to when.
 * Dates are days in Japan, `validTo` is the last day. The sheet says 「現時点では」: a change of the list is a new row here, never a change of a rule.
 */

import { eligibleSeries, parseModelName, type SeriesEntry, seriesCatalogue } from '../../protocol/gateway-models.ts';

export type Line = 'LIGHT_PLUS' | 'LIGHT' | 'NEXT_GIGA_SMART' | 'NEXT_GIGA_LINE' | 'NEXT_OTHER' | 'CROSS' | 'NONE';
export type CatalogueProfile = keyof typeof eligibilityCatalogues;

type Validity = {
  readonly validFrom: string;
  readonly validTo?: string;
  /** New orders of this line ended earlier than the line itself. */
  readonly newOrdersUntil?: string;
};
export type EligibilityCatalogue = {
  readonly lines: readonly (Validity & { readonly line: Line })[];
  readonly series: readonly SeriesEntry[];
};

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

export const eligibilityCatalogues = {
  /** As printed. */
  seed: {
    lines: seedLines.map((line) => ({ line, validFrom: serviceStart })),
    series: seriesCatalogue,
  },
  /** As printed, with what ended since. */
  current: {
    lines: seedLines.map((line) => ({
      line,
      validFrom: serviceStart,
      ...(line === 'LIGHT' || line === 'LIGHT_PLUS' ? { validTo: lightEnds } : {}),
    })),
    series: seriesCatalogue,
  },
} as const satisfies Record<string, EligibilityCatalogue>;

export function linesOn(catalogue: EligibilityCatalogue, day: string): ReadonlySet<Line> {
  return new Set(catalogue.lines.filter((row) => isInForce(row, day)).map((row) => row.line));
}

export function seriesOn(catalogue: EligibilityCatalogue, day: string): readonly string[] {
  return eligibleSeries(day, catalogue.series);
}

/** The days on which a row enters or has left: everybody's eligibility is looked at again. */
export function changesOn({ lines, series }: EligibilityCatalogue): readonly string[] {
  const rows: readonly Validity[] = [...lines, ...series];
  return rows.flatMap(({ validFrom, validTo }) => [validFrom, ...(validTo === undefined ? [] : [dayAfter(validTo)])]);
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}

/** `PR-400KI` is of the series `PR-400`: the last two letters name the maker (DOMAIN §8.1). Undefined: no name of that form. */
export function seriesOf(model: string): string | undefined {
  return parseModelName(model)?.series;
}

function isInForce({ validFrom, validTo }: Validity, day: string): boolean {
  return validFrom <= day && (validTo === undefined || day <= validTo);
}

/** The catalogue in force on a day, as people look it up (`tsugite-server catalogue`). */
import { type EligibilityCode, eligibilityClauses } from './eligibility.ts';
import { type EligibilityCatalogue, lineNames, type Standing, standingOn } from './eligibility-catalogue.ts';

type Dates = {
  readonly validFrom: string;
  readonly newOrdersUntil: string | null;
  readonly validTo: string | null;
  readonly standing: Standing;
};
export type CatalogueOn = {
  readonly profile: string;
  readonly day: string;
  readonly lines: readonly (Dates & { readonly line: string; readonly ja: string; readonly en: string })[];
  readonly series: readonly (Dates & { readonly series: string; readonly models: readonly string[] })[];
  /** What each code is decided from, in the sheet's words. */
  readonly clauses: readonly { readonly code: EligibilityCode; readonly clause: string }[];
};

/** @param day  in Japan, `YYYY-MM-DD` */
export function catalogueOn({ profile, lines, series }: EligibilityCatalogue, day: string): CatalogueOn {
  return {
    profile,
    day,
    lines: lines.map(({ line, ...dates }) => ({ line, ...lineNames[line], ...datesOf(dates, day) })),
    series: series.map(({ series: name, suffixes, ...dates }) => ({
      series: name,
      models: suffixes.map((suffix) => `${name}${suffix}`),
      ...datesOf(dates, day),
    })),
    clauses: eligibilityClauses(),
  };
}

function datesOf(row: Parameters<typeof standingOn>[0], day: string): Dates {
  const { validFrom, newOrdersUntil = null, validTo = null } = row;
  return { validFrom, newOrdersUntil, validTo, standing: standingOn(row, day) };
}

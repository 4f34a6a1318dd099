/** What a person on site can look at and say (a report of kind `answer`): README, "What people at the gateway answered". */
import type { Report } from './report.ts';

/** The first value is the usual one. */
export const confirmItems = { 'office-equipment': ['no', 'yes'] } as const;
export type ConfirmItem = keyof typeof confirmItems;
export type Confirmed = {
  [Item in ConfirmItem]: { readonly item: Item; readonly value: (typeof confirmItems)[Item][number] };
}[ConfirmItem];

/** @returns undefined for every other report, and for an item or a value that is not in the table: such a report is kept, and says nothing */
export function confirmedBy({ kind, detail }: Pick<Report, 'kind' | 'detail'>): Confirmed | undefined {
  if (kind !== 'answer' || detail?.answer !== 'confirm') return undefined;
  const { item, value } = detail;
  if (typeof item !== 'string' || !Object.hasOwn(confirmItems, item)) return undefined;
  const values: readonly unknown[] = confirmItems[item as ConfirmItem];
  return values.includes(value) ? ({ item, value } as Confirmed) : undefined;
}

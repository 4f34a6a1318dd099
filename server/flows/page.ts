/** Long lists a page at a time, by key: `after` is the key of the last item seen, so nothing is missed or told twice while rows come and go. */

export type Page<Key = string> = { readonly limit: number; readonly after: Key | undefined };
export type Listed<Row> = { readonly items: readonly Row[]; readonly next: string | null };

/** How many rows to ask the database for: one more than are told, to know whether there are more. */
export const rowsFor = ({ limit }: Page<unknown>): number => limit + 1;

/** @param rows  up to `rowsFor(page)` of them, those after `page.after`, in the order of the list */
export function pageOf<Row extends object>(rows: readonly Row[], { limit }: Page<unknown>, key: keyof Row & string): Listed<Row> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? String(last[key]) : null };
}

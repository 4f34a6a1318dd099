/** SQL for the rows of one customer (`$1`), from the list of rules/personal-data.ts. Names come from that list alone, never from outside. */
import { type DataTable, dataTables } from '../rules/personal-data.ts';

export type OwnedTable = DataTable & { readonly name: string; readonly link: NonNullable<DataTable['link']> };

/** Parents first. */
export const ownedTables: readonly OwnedTable[] = Object.entries(dataTables).flatMap(([name, table]) =>
  table.link === undefined ? [] : [{ ...table, name, link: table.link }],
);

/** A condition on `t`: its row is the customer's. */
export function isOf({ link }: OwnedTable): string {
  if (!('since' in link)) return `t.${link.column} IN (${keysOf(link.parent)})`;
  return `EXISTS (SELECT 1 FROM gateways g WHERE g.id = t.gateway_id AND g.site_id IN (${keysOf('sites')})
    AND t.${link.since} >= coalesce(g.bound_at, g.created_at) AND t.${link.since} <= coalesce(g.replaced_at, 'infinity') + interval '1 day')`;
}

/** Ids of the customer's rows of one table. */
function keysOf(name: string): string {
  if (name === 'customers') return 'SELECT $1::text';
  const table = ownedTables.find((one) => one.name === name);
  if (table === undefined) throw new Error(`${name} is nobody's table`);
  return `SELECT t.id FROM ${name} t WHERE ${isOf(table)}`;
}

/** @returns undefined where the rows stay as they are */
export function erasureOf(table: OwnedTable): { readonly text: string; readonly takesNow: boolean } | undefined {
  const { name, erase } = table;
  switch (erase?.kind) {
    case 'delete':
      return { text: `DELETE FROM ${name} t WHERE ${isOf(table)} RETURNING 1`, takesNow: false };
    case 'blank': {
      const columns = Object.entries(erase.set);
      const sets = columns.map(([column, value]) => `${column} = ${value === 'now' ? '$2::timestamptz' : value}`);
      return {
        text: `UPDATE ${name} t SET ${sets.join(', ')} WHERE ${isOf(table)} RETURNING 1`,
        takesNow: columns.some(([, value]) => value === 'now'),
      };
    }
    default:
      return undefined;
  }
}

import type { Sql } from '../ports.ts';

/** Asks for a new notice: the row says so for good, the notification only wakes whoever is awake (channel `tsugite_notice_due`). */
export async function markNoticeDue(
  sql: Sql,
  of: { sites: readonly string[] } | { gateways: readonly string[] },
  atMs: number,
): Promise<void> {
  const column = 'sites' in of ? 'site_id' : 'id';
  await sql.query(
    `WITH due AS (
       UPDATE gateways SET notice_due_at = least(coalesce(notice_due_at, $2), $2)
       WHERE ${column} = ANY($1) AND replaced_at IS NULL RETURNING id)
     SELECT pg_notify('tsugite_notice_due', id) FROM due`,
    ['sites' in of ? of.sites : of.gateways, new Date(atMs)],
  );
}

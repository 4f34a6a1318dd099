/** Whose a software id is: nobody's until a work order names it, its provider's from then on, and free again if that order is cancelled. */
import type { ProviderId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import { moveSoftware } from './move-software.ts';

/** The id is locked, and its owner verified, by the caller. Nothing happens when it is the provider's already. */
export async function claimSoftware(
  sql: Sql,
  { software, provider, by, atMs }: { software: SoftwareId; provider: ProviderId; by: string; atMs: number },
): Promise<void> {
  const inserted = await sql.query(
    `INSERT INTO software (id, provider_id, state, created_at) VALUES ($1, $2, 'DRAFT', $3) ON CONFLICT (id) DO NOTHING RETURNING id`,
    [software, provider, new Date(atMs)],
  );
  if (inserted.length > 0) await moveSoftware(sql, { software, event: 'measured', atMs, by });
}

/** A name that was only ever wanted. */
export async function unclaimSoftware(sql: Sql, software: SoftwareId): Promise<void> {
  const unregistered: readonly SoftwareState[] = ['DRAFT', 'MEASURED'];
  await sql.query('DELETE FROM software WHERE id = $1 AND state = ANY($2)', [software, unregistered]);
}

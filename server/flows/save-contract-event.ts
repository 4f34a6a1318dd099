import type { RandomId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { ContractEvent } from '../rules/contract-events.ts';
import type { Actor } from './actor.ts';

/** @returns its id: on one day, the order in which contradicting events count */
export async function insertEvent(
  sql: Sql,
  event: Omit<ContractEvent, 'id'> & { readonly site: RandomId; readonly effectiveOn: string },
  actor: Actor,
  nowMs: number,
): Promise<number> {
  const [row] = await sql.query<{ id: number }>(
    `INSERT INTO contract_events (site_id, kind, effective_on, detail, entered_at, entered_by, entered_token)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
    [event.site, event.kind, event.effectiveOn, event.detail, new Date(nowMs), actor.name, actor.token ?? null],
  );
  return (row as { id: number }).id;
}

/** Work orders as they stand in the database, and as they are shown. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { PriceClass, WorkKind } from '../../protocol/pricing.ts';
import type { Sql } from '../ports.ts';
import type { WorkPrice } from '../rules/registration.ts';
import type { ReleaseState } from '../rules/release-states.ts';
import type { WorkOrderState } from '../rules/work-order-states.ts';
import type { Actor } from './actor.ts';
import { claimSoftware } from './claim-software.ts';

export type WorkOrderRow = {
  readonly order: RandomId;
  readonly provider: ProviderId;
  readonly state: WorkOrderState;
  readonly note: string;
  readonly openedBy: string;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly cancelledAt: Date | null;
  readonly cancelReason: string | null;
  readonly accepted: (WorkPrice & { readonly by: string; readonly at: string }) | null;
  readonly items: readonly {
    readonly software: SoftwareId;
    readonly work: WorkKind;
    readonly note: string;
    readonly release: RandomId | null;
    readonly version: Version | null;
    readonly releaseState: ReleaseState | null;
    /** Of a registered release. */
    readonly menu: PriceClass | null;
    readonly plan: PriceClass | null;
  }[];
};

export const workOrderQuery = `SELECT o.id AS "order", o.provider_id AS provider, o.state, o.note, o.opened_by AS "openedBy", o.created_at AS "createdAt",
  o.completed_at AS "completedAt", o.cancelled_at AS "cancelledAt", o.cancel_reason AS "cancelReason",
  CASE WHEN o.accepted_at IS NOT NULL THEN json_build_object('oneOffYen', o.accepted_one_off_yen, 'monthlyYen', o.accepted_monthly_yen,
    'by', o.accepted_by, 'at', to_char(o.accepted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')) END AS accepted,
  coalesce((SELECT json_agg(json_build_object('software', i.software_id, 'work', i.kind, 'note', i.note, 'release', i.release_id,
      'version', i.version, 'releaseState', CASE WHEN m.id IS NOT NULL THEN 'MEASURED' ELSE r.state END, 'menu', r.menu, 'plan', r.plan)
      ORDER BY i.software_id)
    FROM work_order_items i LEFT JOIN measured_releases m ON m.id = i.release_id
      LEFT JOIN releases r ON r.software_id = i.software_id AND r.version = i.version AND m.id IS NULL
    WHERE i.work_order_id = o.id), '[]') AS items
  FROM work_orders o`;

/** Another provider's order does not exist for a provider. @throws TsugiteError NOT_FOUND */
export async function loadWorkOrder(sql: Sql, order: RandomId, actor: Actor): Promise<WorkOrderRow> {
  const [row] = await sql.query<WorkOrderRow>(`${workOrderQuery} WHERE o.id = $1`, [order]);
  if (row === undefined || (actor.role === 'provider' && actor.provider !== row.provider))
    throw new TsugiteError('NOT_FOUND', { what: `work ${order}` });
  return row;
}

/** Locked until the transaction ends: before the software ids, wherever both are. */
export async function lockWorkOrder(sql: Sql, order: RandomId, actor: Actor): Promise<WorkOrderRow> {
  await sql.query('SELECT id FROM work_orders WHERE id = $1 FOR UPDATE', [order]);
  return loadWorkOrder(sql, order, actor);
}

export async function insertWorkOrder(
  sql: Sql,
  it: { order: RandomId; provider: ProviderId; note?: string | undefined; accepted?: WorkPrice | undefined },
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  const { order, provider, note = '', accepted } = it;
  const now = new Date(nowMs);
  await sql.query(
    `INSERT INTO work_orders (id, provider_id, state, created_at, opened_by, note, accepted_one_off_yen, accepted_monthly_yen, accepted_by, accepted_at)
     VALUES ($1, $2, 'OPEN', $3, $4, $5, $6, $7, $8, $9)`,
    [
      order,
      provider,
      now,
      actor.name,
      note,
      accepted?.oneOffYen ?? null,
      accepted?.monthlyYen ?? null,
      accepted === undefined ? null : actor.name,
      accepted === undefined ? null : now,
    ],
  );
}

export type NewItem = {
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly work: WorkKind;
  readonly release?: RandomId;
  readonly version?: Version;
  readonly note?: string;
};

/**
 * The software id is locked. It is the provider's from here on, if it was nobody's.
 *
 * @throws TsugiteError STATE_FORBIDS: another open order has it
 */
export async function insertItem(
  sql: Sql,
  order: RandomId,
  { software, provider, work, release, version, note = '' }: NewItem,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  const [other] = await sql.query<{ id: RandomId }>(
    `SELECT o.id FROM work_order_items i JOIN work_orders o ON o.id = i.work_order_id WHERE i.software_id = $1 AND o.state = 'OPEN'`,
    [software],
  );
  if (other !== undefined) throw new TsugiteError('STATE_FORBIDS', { state: 'OPEN', action: 'work', software, order: other.id });
  await claimSoftware(sql, { software, provider, by: actor.name, atMs: nowMs });
  await sql.query(
    'INSERT INTO work_order_items (work_order_id, software_id, kind, release_id, version, note) VALUES ($1, $2, $3, $4, $5, $6)',
    [order, software, work, release ?? null, version ?? null, note],
  );
  if (release !== undefined) await sql.query('UPDATE measured_releases SET work_order_id = $2 WHERE id = $1', [release, order]);
}

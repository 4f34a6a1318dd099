/** The operator's hand on work orders (工事): several software in one (W13), other changes (D-21), and the word that a work is done. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Random, Sql } from '../ports.ts';
import { verifyAccepted, type WorkPrice } from '../rules/registration.ts';
import { type SoftwareState, verifyTakesReleases } from '../rules/software-states.ts';
import { nextWorkOrderState, type WorkOrderEvent, type WorkOrderState } from '../rules/work-order-states.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { unclaimSoftware } from './claim-software.ts';
import { completeWork } from './complete-work.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { makeWorkPlanner, type OtherWork, type PlannerDoors } from './plan-work.ts';
import { loadMeasured, lockSoftwareIds, verifyProvider } from './stored-releases.ts';
import { insertItem, insertWorkOrder, loadWorkOrder, lockWorkOrder, type WorkOrderRow, workOrderQuery } from './work-order-rows.ts';

export type NewWork = { readonly release: RandomId } | { readonly software: SoftwareId; readonly note: string };
export type ShownOrder = WorkOrderRow & {
  /** Of an open order: what completing it now would cost; null where something stands in the way. */
  readonly price: WorkPrice | null;
  readonly obstacle: Pick<TsugiteError, 'code' | 'detail'> | null;
};

type Doors = PlannerDoors & { readonly random: Random };

export function makeWorkOrders(doors: Doors) {
  const { db, clock, random, unitBytes } = doors;
  const planner = makeWorkPlanner(doors);

  async function withPrice(sql: Sql, row: WorkOrderRow): Promise<ShownOrder> {
    if (row.state !== 'OPEN') return { ...row, price: null, obstacle: null };
    try {
      const { oneOffYen, monthlyYen } = await planner.plan(sql, releasesOf(row), othersOf(row));
      return { ...row, price: { oneOffYen, monthlyYen }, obstacle: null };
    } catch (error) {
      if (!(error instanceof TsugiteError)) throw error;
      return { ...row, price: null, obstacle: { code: error.code, detail: error.detail } };
    }
  }

  return {
    list: async (
      filter: { state?: WorkOrderState | undefined; provider?: ProviderId | undefined },
      actor: Actor,
      page: Page,
    ): Promise<Listed<WorkOrderRow>> => {
      const own = actor.role === 'provider' ? actor.provider : filter.provider;
      const rows = await db.query<WorkOrderRow>(
        `${workOrderQuery} WHERE ($1::text IS NULL OR o.provider_id = $1) AND ($2::text IS NULL OR o.state = $2)
           AND ($3::text IS NULL OR (o.created_at, o.id) < (SELECT created_at, id FROM work_orders WHERE id = $3))
         ORDER BY o.created_at DESC, o.id DESC LIMIT $4`,
        [own ?? null, filter.state ?? null, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'order');
    },

    show: (order: RandomId, actor: Actor): Promise<ShownOrder> =>
      db.tx(async (sql) => withPrice(sql, await loadWorkOrder(sql, order, actor))),

    open: (wanted: { provider: ProviderId; note?: string | undefined }, actor: Actor): Promise<WorkOrderRow> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        await verifyProvider(sql, wanted.provider);
        const order = random.id();
        await insertWorkOrder(sql, { order, ...wanted }, { actor, nowMs });
        await appendAudit(sql, { actor, action: 'work.open', subject: order, detail: { provider: wanted.provider } }, nowMs);
        return loadWorkOrder(sql, order, actor);
      }),

    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS (closed; accepted as it is; the software is in another open order) · those of `decideRegistration` */
    add: (order: RandomId, work: NewWork, actor: Actor): Promise<ShownOrder> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const row = await lockWorkOrder(sql, order, actor);
        if (row.state !== 'OPEN' || row.accepted !== null)
          throw new TsugiteError('STATE_FORBIDS', { state: row.accepted === null ? row.state : 'accepted', action: 'add' });
        if ('release' in work) {
          const { measured, releases } = await planner.plan(sql, [work.release]);
          const [found] = measured;
          const [planned] = releases;
          if (found === undefined || planned === undefined || found.provider !== row.provider)
            throw new TsugiteError('NOT_FOUND', { what: `release ${work.release}` });
          const { software, version, work: kind } = planned;
          await insertItem(sql, order, { software, version, work: kind, release: work.release, provider: row.provider }, { actor, nowMs });
        } else {
          await lockSoftwareIds(sql, [work.software]);
          await verifyRegistered(sql, work.software, row.provider);
          await insertItem(sql, order, { ...work, provider: row.provider, work: 'other' }, { actor, nowMs });
        }
        await appendAudit(sql, { actor, action: 'work.add', subject: order, detail: { ...work } }, nowMs);
        return withPrice(sql, await loadWorkOrder(sql, order, actor));
      }),

    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS · PRICE_NOT_ACCEPTED (the provider accepted another price) · of `verifyPackage`, `decideRegistration` */
    complete: async (order: RandomId, actor: Actor): Promise<WorkOrderRow> => {
      await planner.prove(await loadMeasured(db, releasesOf(await loadWorkOrder(db, order, actor))), actor);
      return db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const row = await lockWorkOrder(sql, order, actor);
        move(row, 'completed');
        if (row.items.length === 0) throw new TsugiteError('STATE_FORBIDS', { state: 'empty', action: 'complete' });
        const plan = await planner.plan(sql, releasesOf(row), othersOf(row));
        if (row.accepted !== null) verifyAccepted(row.accepted, plan);
        for (const { release, work } of plan.releases)
          await sql.query('UPDATE work_order_items SET kind = $3 WHERE work_order_id = $1 AND release_id = $2', [order, release, work]);
        await completeWork(sql, { order, plan, unitBytes, actor, nowMs });
        return loadWorkOrder(sql, order, actor);
      });
    },

    /** What it would have registered waits again to be registered; a software id that only it named is free. @throws TsugiteError NOT_FOUND · STATE_FORBIDS */
    cancel: (order: RandomId, reason: string, actor: Actor): Promise<WorkOrderRow> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const row = await lockWorkOrder(sql, order, actor);
        const state = move(row, 'cancelled');
        const software = row.items.map((item) => item.software);
        await lockSoftwareIds(sql, software);
        await sql.query('UPDATE work_orders SET state = $2, cancelled_at = $3, cancel_reason = $4 WHERE id = $1', [
          order,
          state,
          new Date(nowMs),
          reason,
        ]);
        await sql.query('UPDATE measured_releases SET work_order_id = NULL, uploaded_at = $2 WHERE work_order_id = $1', [
          order,
          new Date(nowMs),
        ]);
        for (const id of software) await unclaimSoftware(sql, id);
        await appendAudit(sql, { actor, action: 'work.cancel', subject: order, detail: { reason } }, nowMs);
        return loadWorkOrder(sql, order, actor);
      }),
  };
}

function releasesOf({ items }: WorkOrderRow): RandomId[] {
  return items.flatMap(({ release }) => release ?? []);
}

function othersOf({ items }: WorkOrderRow): OtherWork[] {
  return items.flatMap(({ release, software, work }) => (release === null ? [{ software, work }] : []));
}

function move({ state }: WorkOrderRow, event: WorkOrderEvent): WorkOrderState {
  const next = nextWorkOrderState(state, event);
  if (next === undefined) throw new TsugiteError('STATE_FORBIDS', { state, action: event });
  return next;
}

/** An other change (その他変更) is one of a software that is there. */
async function verifyRegistered(sql: Sql, software: SoftwareId, provider: ProviderId): Promise<void> {
  const [row] = await sql.query<{ state: SoftwareState; provider: ProviderId }>(
    'SELECT state, provider_id AS provider FROM software WHERE id = $1 AND registered_at IS NOT NULL FOR UPDATE',
    [software],
  );
  if (row === undefined || row.provider !== provider) throw new TsugiteError('NOT_FOUND', { what: `software ${software}` });
  verifyTakesReleases(row.state, software);
}

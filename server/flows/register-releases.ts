/**
 * A provider registers what it uploaded: it is told the price, accepts exactly that, and the work order is opened and (by default) completed.
 * The same registration again is the same order: it is charged once, however often a line broke.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Random, Sql } from '../ports.ts';
import { verifyAccepted, type WorkPrice } from '../rules/registration.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { completeWork } from './complete-work.ts';
import { makeWorkPlanner, type PlannerDoors, type WorkPlan } from './plan-work.ts';
import { loadMeasured, type MeasuredRelease } from './stored-releases.ts';
import { insertItem, insertWorkOrder, loadWorkOrder, type WorkOrderRow } from './work-order-rows.ts';

/** `automatic`: a provider's own registration is completed at once · `operator`: somebody at the operator completes each work order. */
export type WorkCompletion = 'automatic' | 'operator';
export type Registered = WorkOrderRow & { readonly isRepeat: boolean };

type Doors = PlannerDoors & { readonly random: Random; readonly completion: WorkCompletion };

export function makeRegisterReleases(doors: Doors) {
  const { db } = doors;
  const planner = makeWorkPlanner(doors);

  /** The measured releases, all of them, proven anew. @throws TsugiteError NOT_FOUND (another's too) · of `verifyPackage` */
  async function loadProven(ids: readonly RandomId[], actor: Actor): Promise<void> {
    const measured = await loadMeasured(db, ids);
    verifyAllThere(measured, ids, actor);
    await planner.prove(measured, actor);
  }

  return {
    /** What registering these would cost now. Nothing is kept. */
    quote: async (releases: readonly RandomId[], actor: Actor): Promise<WorkPlan> => {
      const ids = [...new Set(releases)];
      await loadProven(ids, actor);
      return db.tx(async (sql) => {
        const { measured, ...plan } = await planner.plan(sql, ids);
        verifyAllThere(measured, ids, actor);
        return plan;
      });
    },

    /** @throws TsugiteError NOT_FOUND · CONFLICT · PRICE_NOT_ACCEPTED (nothing is charged) · STATE_FORBIDS · those of `decideRegistration` */
    register: async (releases: readonly RandomId[], accepted: WorkPrice, actor: Actor): Promise<Registered> => {
      const ids = [...new Set(releases)].sort();
      const earlier = await findOrder(db, ids, actor);
      if (earlier !== undefined) return earlier;
      await loadProven(ids, actor);
      return db.tx(async (sql) => {
        const plan = await planner.plan(sql, ids);
        // Under the locks: the same request may have come twice at a time.
        const meanwhile = await findOrder(sql, ids, actor);
        if (meanwhile !== undefined) return meanwhile;
        verifyAllThere(plan.measured, ids, actor);
        verifyAccepted(accepted, plan);
        return open(sql, doors, plan, accepted, actor);
      });
    },
  };
}

async function open(
  sql: Sql,
  { clock, random, unitBytes, completion }: Doors,
  plan: WorkPlan & { measured: readonly MeasuredRelease[] },
  accepted: WorkPrice,
  actor: Actor,
): Promise<Registered> {
  const nowMs = clock.nowMs();
  const order = random.id();
  const provider = providerOf(plan.measured);
  await insertWorkOrder(sql, { order, provider, accepted }, { actor, nowMs });
  for (const { release, software, version, work } of plan.releases)
    await insertItem(sql, order, { software, provider, work, release, version }, { actor, nowMs });
  const detail = { releases: plan.releases.map(({ release }) => release), oneOffYen: plan.oneOffYen, monthlyYen: plan.monthlyYen };
  await appendAudit(sql, { actor, action: 'work.accept', subject: order, detail }, nowMs);
  if (completion === 'automatic') await completeWork(sql, { order, plan, unitBytes, actor, nowMs });
  return { ...(await loadWorkOrder(sql, order, actor)), isRepeat: false };
}

/** What was registered, or waits in an open order, with exactly these releases. @throws TsugiteError CONFLICT: some of them are in another order */
async function findOrder(sql: Sql, ids: readonly RandomId[], actor: Actor): Promise<Registered | undefined> {
  const rows = await sql.query<{ order: RandomId; releases: RandomId[] }>(
    `SELECT o.id AS "order", array_agg(i.release_id::text ORDER BY i.release_id) AS releases FROM work_orders o JOIN work_order_items i ON i.work_order_id = o.id
     WHERE o.state <> 'CANCELLED' AND ($2::text IS NULL OR o.provider_id = $2)
       AND o.id IN (SELECT work_order_id FROM work_order_items WHERE release_id = ANY($1)) GROUP BY o.id`,
    [ids, actor.role === 'provider' ? actor.provider : null],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const isSame = rows.length === 1 && JSON.stringify(row.releases) === JSON.stringify(ids);
  if (!isSame) throw new TsugiteError('CONFLICT', { what: `work ${row.order}`, releases: row.releases });
  return { ...(await loadWorkOrder(sql, row.order, actor)), isRepeat: true };
}

function verifyAllThere(measured: readonly MeasuredRelease[], ids: readonly RandomId[], actor: Actor): void {
  const missing = ids.find((id) => {
    const found = measured.find((one) => one.id === id);
    return found === undefined || (actor.role === 'provider' && found.provider !== actor.provider);
  });
  if (missing !== undefined) throw new TsugiteError('NOT_FOUND', { what: `release ${missing}` });
  providerOf(measured);
}

function providerOf(measured: readonly MeasuredRelease[]): MeasuredRelease['provider'] {
  const providers = [...new Set(measured.map(({ provider }) => provider))];
  const [provider] = providers;
  if (provider === undefined || providers.length > 1)
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'releases', fault: 'of one provider' }] });
  return provider;
}

/** What a month is charged by, as the database has it: all of it happened before the month's first moment, save the works, which happened in it. */
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { WorkKind } from '../../protocol/price-tables.ts';
import type { PriceClass } from '../../protocol/pricing.ts';
import type { Sql } from '../ports.ts';
import type { ChargedSoftware, CompletedWork } from '../rules/billing-lines.ts';
import { isWorkChargedIn } from '../rules/billing-period.ts';
import type { ChargedTarget } from '../rules/billing-targets.ts';
import { japanDay } from '../rules/japan-day.ts';
import { firstDayOf, monthStartMs, nextMonth } from '../rules/japan-month.ts';

type SoftwareRow = {
  software: SoftwareId;
  registered: Date;
  cancelled: Date | null;
  menu: PriceClass | null;
  storedBytes: number | null;
  unitBytes: number | null;
};

export async function softwareOf(sql: Sql, provider: ProviderId, month: string): Promise<ChargedSoftware[]> {
  const rows = await sql.query<SoftwareRow>(
    `SELECT s.id AS software, s.registered_at AS registered, s.cancelled_at AS cancelled, c.menu, c.stored_bytes AS "storedBytes", c.unit_bytes AS "unitBytes"
     FROM software s LEFT JOIN LATERAL (
       SELECT menu, stored_bytes, unit_bytes FROM software_classes WHERE software_id = s.id AND since <= $2 ORDER BY id DESC LIMIT 1) c ON true
     WHERE s.provider_id = $1 AND s.registered_at < $2 ORDER BY s.id`,
    [provider, startOf(month)],
  );
  return rows.map(({ software, registered, cancelled, menu, storedBytes, unitBytes }) => ({
    software,
    registeredAtMs: registered.getTime(),
    endedOn: cancelled === null ? null : japanDay(cancelled.getTime()),
    menuClass: menu === null ? null : { menu, storedBytes: Number(storedBytes), unitBytes: Number(unitBytes) },
  }));
}

/** Completed and not charged yet. */
export async function worksOf(sql: Sql, provider: ProviderId, month: string, closed: ReadonlySet<string>): Promise<CompletedWork[]> {
  const rows = await sql.query<{ order: RandomId; completed: Date; items: { software: SoftwareId; work: WorkKind }[] }>(
    `SELECT w.id AS "order", w.completed_at AS completed,
       json_agg(json_build_object('software', i.software_id, 'work', i.kind) ORDER BY i.software_id) AS items
     FROM work_orders w JOIN work_order_items i ON i.work_order_id = w.id
     WHERE w.provider_id = $1 AND w.state = 'COMPLETED' AND w.completed_at < $2
       AND NOT EXISTS (SELECT 1 FROM charged_work_orders c WHERE c.work_order_id = w.id)
     GROUP BY w.id ORDER BY w.completed_at, w.id`,
    [provider, startOf(nextMonth(month))],
  );
  return rows
    .map(({ order, completed, items }) => ({ workOrder: order, completedAtMs: completed.getTime(), items }))
    .filter(({ completedAtMs }) => isWorkChargedIn(month, completedAtMs, closed));
}

export type TargetRow = Pick<ChargedTarget, 'target' | 'software' | 'site' | 'endedOn'> & {
  readonly requested: Date;
  readonly ready: Date | null;
  readonly plan: PriceClass | null;
  readonly installedBytes: number | null;
  readonly unitBytes: number | null;
};
/** What may be charged in a month, with its class then; $1 and $2 are `targetBounds` of the month. Asked for later, or ended before, cannot be. */
export const targetColumns = `t.id AS target, t.software_id AS software, t.site_id AS site, t.requested_at AS requested, t.ready_at AS ready,
  t.ended_on AS "endedOn", p.plan, p.installed_bytes AS "installedBytes", p.unit_bytes AS "unitBytes"`;
export const targetsWithPlans = `targets t LEFT JOIN LATERAL (
  SELECT plan, installed_bytes, unit_bytes FROM target_plans WHERE target_id = t.id AND since <= $1 ORDER BY id DESC LIMIT 1) p ON true`;
export const mayBeCharged = 't.requested_at < $1 AND (t.ended_on IS NULL OR t.ended_on >= $2)';
export const targetBounds = (month: string): readonly [Date, string] => [startOf(month), firstDayOf(month)];

export function toTarget({ requested, ready, plan, installedBytes, unitBytes, ...it }: TargetRow): ChargedTarget {
  return {
    ...it,
    requestedAtMs: requested.getTime(),
    readyAtMs: ready === null ? null : ready.getTime(),
    planClass: plan === null ? null : { plan, installedBytes: Number(installedBytes), unitBytes: Number(unitBytes) },
  };
}

/** A provider's targets, whole sites only, so many rows at a time that memory stays small. */
export async function* sitesOf(sql: Sql, provider: ProviderId, month: string, rowsAtOnce = 5_000): AsyncGenerator<ChargedTarget[][]> {
  let begun: ChargedTarget[] = []; // of a site that may go on in the next rows
  for (let after = ['', '']; ; ) {
    const rows = await sql.query<TargetRow>(
      `SELECT ${targetColumns} FROM ${targetsWithPlans} WHERE ${mayBeCharged} AND t.provider_id = $3 AND (t.site_id, t.id) > ($4, $5)
       ORDER BY t.site_id, t.id LIMIT $6`,
      [...targetBounds(month), provider, ...after, rowsAtOnce],
    );
    const sites = bySite([...begun, ...rows.map(toTarget)]);
    const last = rows.at(-1);
    if (last === undefined || rows.length < rowsAtOnce) {
      yield sites;
      return;
    }
    begun = sites.pop() ?? [];
    yield sites;
    after = [last.site, last.target];
  }
}

function bySite(targets: readonly ChargedTarget[]): ChargedTarget[][] {
  const sites: ChargedTarget[][] = [];
  for (const target of targets) {
    const last = sites.at(-1);
    if (last?.[0]?.site === target.site) last.push(target);
    else sites.push([target]);
  }
  return sites;
}

function startOf(month: string): Date {
  return new Date(monthStartMs(month));
}

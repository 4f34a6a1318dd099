/** Software that has outgrown its target's plan runs on for its grace, and no longer (rules/lease.ts). */

import type { RandomId } from '../../protocol/fields.ts';
import { type PriceClass, planLimitBytes } from '../../protocol/pricing.ts';
import type { Sql } from '../ports.ts';
import { graceUntilAt } from '../rules/lease.ts';

type Row = { plan: PriceClass | null; unitBytes: number | null; runningBytes: number | null; graceUntil: Date | null };

/** After the plan of a target changed, or what runs there: grants, keeps or takes back the grace. Safe to do twice; the target's row is locked. */
export async function settlePlanGrace(sql: Sql, target: RandomId, nowMs: number): Promise<void> {
  const [row] = await sql.query<Row>(
    `SELECT t.plan, r.unit_bytes AS "unitBytes", t.grace_until AS "graceUntil",
       (SELECT p.installed_bytes FROM releases c JOIN packages p ON p.release_id = c.id
        WHERE c.software_id = t.software_id AND c.version = t.committed_version AND p.models && ARRAY[g.model, '*']
        ORDER BY p.models @> ARRAY['*'], p.admitted_at DESC LIMIT 1) AS "runningBytes"
     FROM targets t JOIN releases r ON r.id = t.release_id LEFT JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL
     WHERE t.id = $1`,
    [target],
  );
  if (row === undefined || row.plan === null || row.unitBytes === null) return;
  const now = {
    runningBytes: row.runningBytes ?? undefined,
    planLimitBytes: planLimitBytes(row.plan, row.unitBytes),
    graceUntilMs: row.graceUntil?.getTime(),
  };
  const untilMs = graceUntilAt(now, nowMs);
  if (untilMs !== now.graceUntilMs)
    await sql.query('UPDATE targets SET grace_until = $2 WHERE id = $1', [target, untilMs === undefined ? null : new Date(untilMs)]);
}

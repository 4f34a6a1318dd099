/**
 * The history of price classes: what a software and a target are charged by, from when on. A month takes what was in force at its first moment
 * (DOMAIN D-11, D-35), so every change is added here in the transaction that makes it. Writing the same again adds nothing.
 */
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';

/** From now on this release is the current one of its software: its stored bytes give the menu (D-03). The software's row is locked by the caller. */
export async function recordSoftwareClass(
  sql: Sql,
  { software, release, atMs }: { software: SoftwareId; release: RandomId; atMs: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO software_classes (software_id, release_id, menu, stored_bytes, unit_bytes, since)
     SELECT r.software_id, r.id, r.menu, r.stored_bytes, r.unit_bytes, $3 FROM releases r WHERE r.id = $2 AND r.software_id = $1
       AND NOT EXISTS (
         SELECT 1 FROM (SELECT * FROM software_classes WHERE software_id = $1 ORDER BY id DESC LIMIT 1) newest
         WHERE (newest.release_id, newest.menu, newest.stored_bytes, newest.unit_bytes) = (r.id, r.menu, r.stored_bytes, r.unit_bytes))`,
    [software, release, new Date(atMs)],
  );
}

/** From now on this target is to have this release: its installed bytes give the plan (D-04, D-05). The target's row is locked by the caller. */
export async function recordTargetPlan(
  sql: Sql,
  { target, release, atMs }: { target: RandomId; release: RandomId; atMs: number },
): Promise<void> {
  await addPlans(sql, { release, atMs, only: target });
}

/** The sizes of a release changed (a further package, a renewed signature): so does whatever is charged by it now. */
export async function recordResized(sql: Sql, { release, atMs }: { release: RandomId; atMs: number }): Promise<void> {
  const [current] = await sql.query<{ software: SoftwareId }>(
    `SELECT r.software_id AS software FROM releases r WHERE r.id = $1
       AND r.id = (SELECT release_id FROM software_classes WHERE software_id = r.software_id ORDER BY id DESC LIMIT 1)`,
    [release],
  );
  if (current !== undefined) await recordSoftwareClass(sql, { software: current.software, release, atMs });
  await sql.query(
    `UPDATE targets t SET plan = r.plan FROM releases r WHERE r.id = $1 AND t.release_id = r.id AND t.ended_at IS NULL AND t.plan <> r.plan`,
    [release],
  );
  await addPlans(sql, { release, atMs });
}

async function addPlans(
  sql: Sql,
  { release, atMs, only }: { release: RandomId; atMs: number; only?: RandomId | undefined },
): Promise<void> {
  await sql.query(
    `INSERT INTO target_plans (target_id, release_id, plan, installed_bytes, unit_bytes, since)
     SELECT t.id, r.id, r.plan, r.installed_bytes, r.unit_bytes, $2 FROM targets t JOIN releases r ON r.id = $1
     WHERE t.ended_at IS NULL AND CASE WHEN $3::text IS NULL THEN t.release_id = r.id ELSE t.id = $3 END AND NOT EXISTS (
       SELECT 1 FROM (SELECT * FROM target_plans WHERE target_id = t.id ORDER BY id DESC LIMIT 1) newest
       WHERE (newest.release_id, newest.plan, newest.installed_bytes, newest.unit_bytes) = (r.id, r.plan, r.installed_bytes, r.unit_bytes))
     ORDER BY t.id`,
    [release, new Date(atMs), only ?? null],
  );
}

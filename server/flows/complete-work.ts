/** The end of a work order: what it registers becomes releases, its software are published, and its fees are due (D-22). One transaction. */
import type { RandomId } from '../../protocol/fields.ts';
import { compareVersions } from '../../protocol/version-order.ts';
import type { Sql } from '../ports.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { moveSoftware } from './move-software.ts';
import type { PlannedRelease, WorkPlan } from './plan-work.ts';
import { recordResized, recordSoftwareClass } from './price-classes.ts';
import { insertRelease, type MeasuredRelease, resizeRelease } from './stored-releases.ts';

export type Completion = {
  readonly order: RandomId;
  readonly plan: WorkPlan & { readonly measured: readonly MeasuredRelease[] };
  readonly unitBytes: number;
  readonly actor: Actor;
  readonly nowMs: number;
};

/** The order is locked and OPEN, its software ids are locked and its provider's. */
export async function completeWork(sql: Sql, { order, plan, unitBytes, actor, nowMs }: Completion): Promise<void> {
  for (const release of plan.releases) {
    const measured = plan.measured.find(({ id }) => id === release.release) as MeasuredRelease;
    await register(sql, measured, release, { order, unitBytes, actor, nowMs });
  }
  await sql.query(`UPDATE work_orders SET state = 'COMPLETED', completed_at = $2 WHERE id = $1`, [order, new Date(nowMs)]);
  const { oneOffYen, monthlyYen } = plan;
  await appendAudit(sql, { actor, action: 'work.complete', subject: order, detail: { oneOffYen, monthlyYen } }, nowMs);
}

type Registering = Omit<Completion, 'plan'>;

async function register(
  sql: Sql,
  measured: MeasuredRelease,
  release: PlannedRelease,
  { order, unitBytes, actor, nowMs }: Registering,
): Promise<void> {
  const { software, version, work } = release;
  const into = await releaseOf(sql, measured);
  if (into === undefined) {
    if (work === 'new')
      for (const event of ['registered', 'published'] as const) await moveSoftware(sql, { software, event, atMs: nowMs, by: actor.name });
    const minVersion = measured.packages
      .flatMap(({ manifest }) => manifest.minVersion ?? [])
      .sort(compareVersions)
      .at(-1);
    await insertRelease(sql, { ...release, minVersion, order, unitBytes }, nowMs);
  } else await resizeRelease(sql, into, release);
  const id = into ?? release.release;
  await movePackages(sql, measured.id, id, nowMs);
  if (into === undefined) await recordSoftwareClass(sql, { software, release: id, atMs: nowMs });
  else await recordResized(sql, { release: id, atMs: nowMs });
  const detail = { release: id, version, work, menu: release.menu, plan: release.plan, order };
  await appendAudit(sql, { actor, action: 'release.register', subject: software, detail }, nowMs);
}

/** The release of the same version that is there already. */
async function releaseOf(sql: Sql, { software, version }: MeasuredRelease): Promise<RandomId | undefined> {
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM releases WHERE software_id = $1 AND version = $2', [software, version]);
  return row?.id;
}

/** The file stays where it is: only the row that names it changes its table. */
async function movePackages(sql: Sql, measured: RandomId, release: RandomId, nowMs: number): Promise<void> {
  await sql.query(
    `INSERT INTO packages (sha256, release_id, bytes, installed_bytes, manifest, manifest_sha256, payload_sha256, models, signer_issuer, signer_serial,
       signer_not_after, admitted_at)
     SELECT sha256, $2, bytes, installed_bytes, manifest, manifest_sha256, payload_sha256, models, signer_issuer, signer_serial, signer_not_after, $3
     FROM measured_packages WHERE release_id = $1`,
    [measured, release, new Date(nowMs)],
  );
  await sql.query('DELETE FROM measured_releases WHERE id = $1', [measured]);
}

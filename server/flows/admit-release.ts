/** The operator's way: an uploaded .tsg is verified, measured, classed, and becomes (part of) a release at once, with a work order of its own. */
import type { Readable } from 'node:stream';
import type { Digest, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Clock, Db, PackageFiles, Random, Sql } from '../ports.ts';
import { type Admission, decideAdmission } from '../rules/admission.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { claimSoftware } from './claim-software.ts';
import { moveSoftware } from './move-software.ts';
import { recordResized, recordSoftwareClass } from './price-classes.ts';
import { caseOf, makeReceivePackage, type Received } from './receive-package.ts';
import { saveResigned } from './resign-release.ts';
import { insertPackage, insertRelease, openSoftware, resizeRelease } from './stored-releases.ts';

export type AdmittedRelease = {
  readonly release: RandomId;
  readonly software: string;
  readonly version: Version;
  readonly sha256: Digest;
  readonly isRepeat: boolean;
  readonly admission: Admission;
};

type Doors = { db: Db; clock: Clock; random: Random; packages: PackageFiles; unitBytes: number };
type Admitted = Extract<Admission, { kind: 'admit' }>;

export function makeAdmitRelease(doors: Doors) {
  const receive = makeReceivePackage(doors);
  /** @throws TsugiteError of `verifyPackage` and `decideAdmission`; nothing is kept then */
  return (body: Readable, actor: Actor): Promise<AdmittedRelease> =>
    receive(body, actor, (sql, received) => admit(sql, doors, received, actor));
}

async function admit(sql: Sql, doors: Doors, received: Received, actor: Actor): Promise<AdmittedRelease> {
  const { clock, packages, unitBytes } = doors;
  const { manifest, signer } = received.opened;
  const nowMs = clock.nowMs();
  const known = await openSoftware(sql, manifest);
  const admission = decideAdmission({ ...caseOf(received), ...known, unitBytes, day: japanDay(nowMs) });
  const { sha256 } = received.upload;
  const result = { software: manifest.software, version: manifest.version, sha256, admission };
  if (admission.kind !== 'admit') {
    const release = known.releases.find(({ version }) => version === manifest.version)?.id as RandomId;
    if (admission.kind === 'resign') {
      const resigned = { release, manifest, manifestSha256: received.manifestSha256, signer, upload: received.upload };
      await saveResigned(sql, packages, resigned, admission, { actor, nowMs });
    }
    return { ...result, release, isRepeat: admission.kind === 'repeat' };
  }

  const release = await saveRelease(sql, doors, { manifest, admission, actor, nowMs });
  // Before the row: a row always has its file, and a file without a row is only space. Safe to do twice, as a repeated transaction does.
  await packages.adopt(received.upload);
  await insertPackage(sql, 'packages', release, received, nowMs);
  if (admission.work === undefined) await recordResized(sql, { release, atMs: nowMs });
  else await recordSoftwareClass(sql, { software: manifest.software, release, atMs: nowMs });
  const { menu, plan, work = null } = admission;
  const detail = { version: manifest.version, sha256, menu, plan, work };
  await appendAudit(sql, { actor, action: 'release.admit', subject: manifest.software, detail }, nowMs);
  return { ...result, release, isRepeat: false };
}

/** A further package belongs to the work that brought its release. */
async function saveRelease(
  sql: Sql,
  { random, unitBytes }: Doors,
  { manifest, admission, actor, nowMs }: { manifest: Manifest; admission: Admitted; actor: Actor; nowMs: number },
): Promise<RandomId> {
  const { work, ...sizes } = admission;
  const { software, version, minVersion } = manifest;
  if (work === undefined) {
    const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM releases WHERE software_id = $1 AND version = $2', [software, version]);
    const { id } = row as { id: RandomId };
    await resizeRelease(sql, id, sizes);
    return id;
  }
  const [order, release] = [random.id(), random.id()];
  await claimSoftware(sql, { software, provider: manifest.provider, by: actor.name, atMs: nowMs });
  if (work === 'new') await publish(sql, software, actor, nowMs);
  await sql.query(
    `INSERT INTO work_orders (id, provider_id, state, created_at, completed_at, opened_by) VALUES ($1, $2, 'COMPLETED', $3, $3, $4)`,
    [order, manifest.provider, new Date(nowMs), actor.name],
  );
  await sql.query('INSERT INTO work_order_items (work_order_id, software_id, kind, release_id) VALUES ($1, $2, $3, $4)', [
    order,
    software,
    work,
    release,
  ]);
  await insertRelease(sql, { ...sizes, release, software, version, minVersion, order, unitBytes }, nowMs);
  return release;
}

async function publish(sql: Sql, software: SoftwareId, actor: Actor, nowMs: number): Promise<void> {
  for (const event of ['registered', 'published'] as const) await moveSoftware(sql, { software, event, atMs: nowMs, by: actor.name });
}

/**
 * The provider's way: an uploaded .tsg is proven and measured, and waits to be registered. Until then it costs nothing, reaches nobody, claims no
 * software id, and is seen by its provider and the operator alone.
 */
import type { Readable } from 'node:stream';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Digest, ProviderId, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Clock, Db, PackageFiles, Random, Sql } from '../ports.ts';
import { type Admission, decideAdmission } from '../rules/admission.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { ReleaseState } from '../rules/release-states.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import type { DropMeasured } from './drop-measured.ts';
import { caseOf, makeReceivePackage, type Received } from './receive-package.ts';
import { saveResigned } from './resign-release.ts';
import { findMeasured, insertPackage, type MeasuredRelease, openSoftware } from './stored-releases.ts';

/** So many of one provider, each below the largest menu: what the disk can be filled with for nothing. */
export const mostMeasured = 20;

export type MeasuredUpload = {
  readonly release: RandomId;
  readonly software: SoftwareId;
  readonly version: Version;
  readonly sha256: Digest;
  /** Another than MEASURED: it is registered already, or was signed anew in its place. */
  readonly state: ReleaseState;
  readonly isRepeat: boolean;
  readonly admission: Admission;
};

type Doors = {
  readonly db: Db;
  readonly clock: Clock;
  readonly random: Random;
  readonly packages: PackageFiles;
  readonly unitBytes: number;
  readonly dropMeasured: DropMeasured;
};

export function makeMeasureRelease(doors: Doors) {
  const receive = makeReceivePackage(doors);
  /** @throws TsugiteError of `verifyPackage` and `decideAdmission` · MEASURED_LIMIT · STATE_FORBIDS (its order is open); nothing is kept then */
  return async (body: Readable, actor: Actor): Promise<MeasuredUpload> => {
    const { replaced, ...measured } = await receive(body, actor, (sql, received) => measure(sql, doors, received, actor));
    if (replaced !== undefined) await doors.dropMeasured.removeFiles(measured.software, [replaced]);
    return measured;
  };
}

type Outcome = MeasuredUpload & { readonly replaced?: Digest };

async function measure(sql: Sql, doors: Doors, received: Received, actor: Actor): Promise<Outcome> {
  const { clock, packages, unitBytes } = doors;
  const { manifest, signer } = received.opened;
  const nowMs = clock.nowMs();
  const known = await openSoftware(sql, manifest);
  const measured = await findMeasured(sql, manifest);
  const admission = decideAdmission({
    ...caseOf(received),
    ...known,
    waiting: measured?.packages ?? [],
    unitBytes,
    day: japanDay(nowMs),
  });
  const registered = known.releases.find(({ version }) => version === manifest.version);
  const { sha256 } = received.upload;
  const result = { software: manifest.software, version: manifest.version, sha256, admission };

  if (admission.kind !== 'admit') {
    const same = admission.kind === 'resign' ? admission.replaces : sha256;
    if (registered?.packages.some((one) => one.sha256 === same)) {
      const resigned = { release: registered.id, manifest, manifestSha256: received.manifestSha256, signer, upload: received.upload };
      if (admission.kind === 'resign') await saveResigned(sql, packages, resigned, admission, { actor, nowMs });
      return { ...result, release: registered.id, state: registered.state, isRepeat: admission.kind === 'repeat' };
    }
  }
  if (admission.kind === 'repeat') return { ...result, release: (measured as MeasuredRelease).id, state: 'MEASURED', isRepeat: true };

  const release = await openMeasured(sql, doors, measured, { ...manifest, actor, nowMs });
  await packages.adopt(received.upload); // before the row, as in admit-release
  const replaced = admission.kind === 'resign' ? admission.replaces : undefined;
  if (replaced !== undefined) await sql.query('DELETE FROM measured_packages WHERE sha256 = $1', [replaced]);
  await insertPackage(sql, 'measured_packages', release, received, nowMs);
  const { menu, plan } = admission;
  const detail = { release, version: manifest.version, sha256, menu, plan };
  await appendAudit(sql, { actor, action: 'release.measure', subject: manifest.software, detail }, nowMs);
  return { ...result, release, state: 'MEASURED', isRepeat: false, ...(replaced === undefined ? {} : { replaced }) };
}

type Opening = { provider: ProviderId; software: SoftwareId; version: Version; actor: Actor; nowMs: number };

/** @returns its id; the time to register it runs anew */
async function openMeasured(
  sql: Sql,
  { random }: Doors,
  measured: MeasuredRelease | undefined,
  { provider, software, version, actor, nowMs }: Opening,
): Promise<RandomId> {
  if (measured !== undefined) {
    // What was accepted in an order is what it registers.
    if (measured.order !== null) throw new TsugiteError('STATE_FORBIDS', { state: 'OPEN', action: 'upload', order: measured.order });
    await sql.query('UPDATE measured_releases SET uploaded_at = $2, uploaded_by = $3 WHERE id = $1', [
      measured.id,
      new Date(nowMs),
      actor.name,
    ]);
    return measured.id;
  }
  // Counted under a lock of the provider's row: uploads of different software come side by side.
  await sql.query('SELECT id FROM providers WHERE id = $1 FOR NO KEY UPDATE', [provider]);
  const [row] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM measured_releases WHERE provider_id = $1', [provider]);
  const actual = row?.count ?? 0;
  if (actual >= mostMeasured) throw new TsugiteError('MEASURED_LIMIT', { limit: mostMeasured, actual });
  const id = random.id();
  await sql.query(
    `INSERT INTO measured_releases (id, provider_id, software_id, version, uploaded_by, uploaded_at) VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, provider, software, version, actor.name, new Date(nowMs)],
  );
  return id;
}

/** Step "deposit": an uploaded .tsg is verified, measured, classed, and becomes (part of) a release. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Digest, ProviderId, RandomId, Version } from '../../protocol/fields.ts';
import { noSink } from '../../protocol/package/payload-reader.ts';
import { readEnvelopeBytes } from '../../protocol/package/tsg.ts';
import { type OpenedPackage, type SizeCaps, verifyPackage } from '../../protocol/package/verify-package.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Clock, Db, PackageFiles, Random, Sql, Upload } from '../ports.ts';
import { type Admission, decideAdmission, type StoredPackage } from '../rules/admission.ts';
import { japanDay } from '../rules/japan-day.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import type { Actor } from './actor.ts';
import { verifyOwn } from './actor.ts';
import { appendAudit } from './audit.ts';
import { recordResized, recordSoftwareClass } from './price-classes.ts';
import { saveResigned } from './resign-release.ts';
import { trustInForce } from './trust-in-force.ts';

export type AdmittedRelease = {
  readonly release: RandomId;
  readonly software: string;
  readonly version: Version;
  readonly sha256: Digest;
  readonly isRepeat: boolean;
  readonly admission: Admission;
};

type Doors = { db: Db; clock: Clock; random: Random; packages: PackageFiles; unitBytes: number };
type Verified = { readonly opened: OpenedPackage; readonly manifestSha256: string; readonly trust: TrustInForce };

export function makeAdmitRelease(doors: Doors) {
  const { db, clock, packages, unitBytes } = doors;
  // The same limits in the unit that is in force (D-01); exclusive.
  const caps: SizeCaps = { storedBytes: 25 * unitBytes, installedBytes: (15 * unitBytes) / 2 };

  /** @throws TsugiteError of `verifyPackage` and `decideAdmission`; nothing is kept then */
  return async (body: Readable, actor: Actor): Promise<AdmittedRelease> => {
    const upload = await packages.receive(body, caps.storedBytes);
    try {
      const verified = await packages.inspect(upload, async (file) => {
        const trust = await trustInForce(db, clock.nowMs());
        const opened = await verifyPackage(file, trust, noSink, { caps, accept: ({ manifest }) => verifyOwn(actor, manifest.provider) });
        return { opened, manifestSha256: sha256(readEnvelopeBytes(file.readAt, opened.layout)), trust };
      });
      return await db.tx((sql) => record(sql, doors, verified, upload, actor));
    } catch (error) {
      throw customerFaultAsSuch(error);
    } finally {
      await packages.drop(upload);
    }
  };
}

async function record(
  sql: Sql,
  { clock, random, packages, unitBytes }: Doors,
  verified: Verified,
  upload: Upload,
  actor: Actor,
): Promise<AdmittedRelease> {
  const { manifest, signer } = verified.opened;
  const { revokedSigners } = verified.trust;
  const nowMs = clock.nowMs();
  await lockSoftwareId(sql, manifest);
  const known = await loadSoftware(sql, manifest.software);
  const signature = { issuer: signer.issuerKeyid, serial: signer.serial, notAfterMs: Date.parse(signer.notAfter) };
  const found = { sha256: upload.sha256, bytes: upload.bytes, signer: signature };
  const admission = decideAdmission({ manifest, package: found, ...known, unitBytes, day: japanDay(nowMs), revokedSigners });
  const result = { software: manifest.software, version: manifest.version, sha256: upload.sha256, admission };
  if (admission.kind !== 'admit') {
    const release = known.releases.find(({ version }) => version === manifest.version)?.id as RandomId;
    if (admission.kind === 'resign') {
      const resigned = { release, manifest, manifestSha256: verified.manifestSha256, signer, upload };
      await saveResigned(sql, packages, resigned, admission, { actor, nowMs });
    }
    return { ...result, release, isRepeat: admission.kind === 'repeat' };
  }

  const now = new Date(nowMs);
  if (known.software === undefined)
    await sql.query(`INSERT INTO software (id, provider_id, state, registered_at, created_at) VALUES ($1, $2, 'PUBLISHED', $3, $3)`, [
      manifest.software,
      manifest.provider,
      now,
    ]);
  const release = await saveRelease(sql, random, verified, admission, unitBytes, now);
  // Before the row: a row always has its file, and a file without a row is only space. Safe to do twice, as a repeated transaction does.
  await packages.adopt(upload);
  await sql.query(
    `INSERT INTO packages (sha256, release_id, bytes, installed_bytes, manifest, manifest_sha256, payload_sha256, models, signer_issuer, signer_serial,
       signer_not_after, admitted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      upload.sha256,
      release,
      upload.bytes,
      manifest.payload.installedBytes,
      manifest,
      verified.manifestSha256,
      manifest.payload.sha256,
      manifest.models,
      signer.issuerKeyid,
      signer.serial,
      new Date(signer.notAfter),
      now,
    ],
  );
  if (admission.work === undefined) await recordResized(sql, { release, atMs: nowMs });
  else await recordSoftwareClass(sql, { software: manifest.software, release, atMs: nowMs });
  const detail = {
    version: manifest.version,
    sha256: upload.sha256,
    menu: admission.menu,
    plan: admission.plan,
    work: admission.work ?? null,
  };
  await appendAudit(sql, { actor, action: 'release.admit', subject: manifest.software, detail }, nowMs);
  return { ...result, release, isRepeat: false };
}

/** Uploads of one software follow one another: the first of two providers claims a new id, and the other one sees it. */
async function lockSoftwareId(sql: Sql, { software, provider }: Manifest): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [software]);
  const rows = await sql.query('SELECT id FROM providers WHERE id = $1', [provider]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: `provider ${provider}` });
}

async function loadSoftware(sql: Sql, id: string) {
  const [software] = await sql.query<{ provider: ProviderId; state: SoftwareState }>(
    'SELECT provider_id AS provider, state FROM software WHERE id = $1 FOR UPDATE',
    [id],
  );
  const releases = await sql.query<{ id: RandomId; version: Version; packages: StoredPackage[] }>(
    `SELECT r.id, r.version, json_agg(json_build_object('sha256', p.sha256, 'bytes', p.bytes, 'installedBytes', p.installed_bytes, 'models', p.models,
       'manifest', p.manifest, 'signer', json_build_object('issuer', p.signer_issuer, 'serial', p.signer_serial,
       'notAfterMs', (extract(epoch FROM p.signer_not_after) * 1000)::bigint))) AS packages
     FROM releases r JOIN packages p ON p.release_id = r.id WHERE r.software_id = $1 GROUP BY r.id`,
    [id],
  );
  return { software, releases };
}

async function saveRelease(
  sql: Sql,
  random: Random,
  { opened: { manifest } }: Verified,
  { work, storedBytes, installedBytes, menu, plan }: Extract<Admission, { kind: 'admit' }>,
  unitBytes: number,
  now: Date,
): Promise<RandomId> {
  if (work === undefined) {
    const [row] = await sql.query<{ id: RandomId }>(
      `UPDATE releases SET stored_bytes = $3, installed_bytes = $4, menu = $5, plan = $6 WHERE software_id = $1 AND version = $2 RETURNING id`,
      [manifest.software, manifest.version, storedBytes, installedBytes, menu, plan],
    );
    return (row as { id: RandomId }).id;
  }
  const order = random.id();
  await sql.query(`INSERT INTO work_orders (id, provider_id, state, created_at, completed_at) VALUES ($1, $2, 'COMPLETED', $3, $3)`, [
    order,
    manifest.provider,
    now,
  ]);
  await sql.query('INSERT INTO work_order_items (work_order_id, software_id, kind) VALUES ($1, $2, $3)', [order, manifest.software, work]);
  const release = random.id();
  await sql.query(
    `INSERT INTO releases (id, software_id, version, min_version, state, stored_bytes, installed_bytes, unit_bytes, menu, plan, work_order_id, admitted_at)
     VALUES ($1, $2, $3, $4, 'ADMITTED', $5, $6, $7, $8, $9, $10, $11)`,
    [
      release,
      manifest.software,
      manifest.version,
      manifest.minVersion ?? null,
      storedBytes,
      installedBytes,
      unitBytes,
      menu,
      plan,
      order,
      now,
    ],
  );
  return release;
}

/** A manifest without `customer` breaks the schema first; the provider is told what is missing and for whom (E711). */
function customerFaultAsSuch(error: unknown): unknown {
  if (!(error instanceof TsugiteError) || error.code !== 'STATEMENT_MALFORMED') return error;
  const faults = Array.isArray(error.detail.faults) ? (error.detail.faults as { field?: string }[]) : [];
  const fields = faults.flatMap(({ field }) => (field === 'customer' || field?.startsWith('customer.') ? [field] : []));
  if (fields.length === 0 || fields.length < faults.length) return error;
  return new TsugiteError('CUSTOMER_INFO_MISSING', { ...error.detail, fields }, { cause: error });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

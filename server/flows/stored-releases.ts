/** The rows of releases and their packages, registered and measured: read as the rules want them, written as the tables want them. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { Sql } from '../ports.ts';
import type { SizeClasses, StoredPackage } from '../rules/admission.ts';
import type { MeasuredPackage } from '../rules/registration.ts';
import type { ReleaseState } from '../rules/release-states.ts';
import type { SoftwareState } from '../rules/software-states.ts';
import type { Received } from './receive-package.ts';

export type KnownSoftware = {
  readonly software: { readonly provider: ProviderId; readonly state: SoftwareState } | undefined;
  readonly releases: readonly {
    readonly id: RandomId;
    readonly version: Version;
    readonly state: ReleaseState;
    readonly packages: readonly StoredPackage[];
  }[];
};
export type MeasuredRelease = {
  readonly id: RandomId;
  readonly provider: ProviderId;
  readonly software: SoftwareId;
  readonly version: Version;
  /** The open order that will register it. */
  readonly order: RandomId | null;
  readonly uploadedAt: Date;
  readonly packages: readonly MeasuredPackage[];
};

const adoptionLock = 6_150_922;

/** Nobody, in whichever server, is between giving a file its name and committing the row that names it. Until the transaction ends. */
export async function lockAdoptions(sql: Sql): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [adoptionLock]);
}

/**
 * Whatever changes what a software id has: one after the other, also while the id belongs to nobody. The first of two providers to register has it.
 * Package files get their names under this lock only.
 */
export async function lockSoftwareIds(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock_shared($1)', [adoptionLock]);
  for (const id of [...new Set(ids)].sort()) await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [id]);
}

/** What a package that has just come meets: its software id locked, its provider known, what is registered under that id. @throws TsugiteError NOT_FOUND */
export async function openSoftware(
  sql: Sql,
  { software, provider }: { software: SoftwareId; provider: ProviderId },
): Promise<KnownSoftware> {
  await lockSoftwareIds(sql, [software]);
  await verifyProvider(sql, provider);
  return loadKnownSoftware(sql, software);
}

/** @throws TsugiteError NOT_FOUND */
export async function verifyProvider(sql: Sql, provider: ProviderId): Promise<void> {
  const rows = await sql.query('SELECT id FROM providers WHERE id = $1', [provider]);
  if (rows.length === 0) throw new TsugiteError('NOT_FOUND', { what: `provider ${provider}` });
}

const packageJson = `json_agg(json_build_object('sha256', p.sha256, 'bytes', p.bytes, 'installedBytes', p.installed_bytes, 'models', p.models,
  'manifest', p.manifest, 'signer', json_build_object('issuer', p.signer_issuer, 'serial', p.signer_serial,
  'notAfterMs', (extract(epoch FROM p.signer_not_after) * 1000)::bigint)) ORDER BY p.sha256) AS packages`;

export async function loadKnownSoftware(sql: Sql, id: SoftwareId): Promise<KnownSoftware> {
  const [software] = await sql.query<NonNullable<KnownSoftware['software']>>(
    'SELECT provider_id AS provider, state FROM software WHERE id = $1 FOR UPDATE',
    [id],
  );
  const releases = await sql.query<KnownSoftware['releases'][number]>(
    `SELECT r.id, r.version, r.state, ${packageJson} FROM releases r JOIN packages p ON p.release_id = r.id WHERE r.software_id = $1 GROUP BY r.id`,
    [id],
  );
  return { software, releases };
}

const measuredQuery = `SELECT m.id, m.provider_id AS provider, m.software_id AS software, m.version, m.work_order_id AS "order",
  m.uploaded_at AS "uploadedAt", ${packageJson} FROM measured_releases m JOIN measured_packages p ON p.release_id = m.id`;

export async function loadMeasured(sql: Sql, ids: readonly RandomId[]): Promise<MeasuredRelease[]> {
  return sql.query<MeasuredRelease>(`${measuredQuery} WHERE m.id = ANY($1) GROUP BY m.id ORDER BY m.software_id, m.id`, [ids]);
}

export async function findMeasured(
  sql: Sql,
  { provider, software, version }: { provider: ProviderId; software: SoftwareId; version: Version },
): Promise<MeasuredRelease | undefined> {
  const [row] = await sql.query<MeasuredRelease>(
    `${measuredQuery} WHERE m.provider_id = $1 AND m.software_id = $2 AND m.version = $3 GROUP BY m.id`,
    [provider, software, version],
  );
  return row;
}

export async function insertPackage(
  sql: Sql,
  table: 'packages' | 'measured_packages',
  release: RandomId,
  { opened: { manifest, signer }, manifestSha256, upload }: Received,
  nowMs: number,
): Promise<void> {
  await sql.query(
    `INSERT INTO ${table} (sha256, release_id, bytes, installed_bytes, manifest, manifest_sha256, payload_sha256, models, signer_issuer, signer_serial,
       signer_not_after, ${table === 'packages' ? 'admitted_at' : 'uploaded_at'}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      upload.sha256,
      release,
      upload.bytes,
      manifest.payload.installedBytes,
      manifest,
      manifestSha256,
      manifest.payload.sha256,
      manifest.models,
      signer.issuerKeyid,
      signer.serial,
      new Date(signer.notAfter),
      new Date(nowMs),
    ],
  );
}

export type NewRelease = SizeClasses & {
  readonly release: RandomId;
  readonly software: SoftwareId;
  readonly version: Version;
  readonly minVersion: Version | undefined;
  readonly order: RandomId;
  readonly unitBytes: number;
};

export async function insertRelease(sql: Sql, it: NewRelease, nowMs: number): Promise<void> {
  await sql.query(
    `INSERT INTO releases (id, software_id, version, min_version, state, stored_bytes, installed_bytes, unit_bytes, menu, plan, work_order_id, admitted_at)
     VALUES ($1, $2, $3, $4, 'ADMITTED', $5, $6, $7, $8, $9, $10, $11)`,
    [
      it.release,
      it.software,
      it.version,
      it.minVersion ?? null,
      it.storedBytes,
      it.installedBytes,
      it.unitBytes,
      it.menu,
      it.plan,
      it.order,
      new Date(nowMs),
    ],
  );
}

/** A further package has come to a release that is there. */
export async function resizeRelease(sql: Sql, release: RandomId, { storedBytes, installedBytes, menu, plan }: SizeClasses): Promise<void> {
  await sql.query('UPDATE releases SET stored_bytes = $2, installed_bytes = $3, menu = $4, plan = $5 WHERE id = $1', [
    release,
    storedBytes,
    installedBytes,
    menu,
    plan,
  ]);
}

/** A package whose signature was renewed takes the place of the one before it. The release stays what it was: no work, no fee. */

import type { Signer } from '../../protocol/chain/signer.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { PackageFiles, Sql, Upload } from '../ports.ts';
import type { Admission } from '../rules/admission.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { markNoticeDue } from './notice-due.ts';
import { recordResized } from './price-classes.ts';

export type Resigned = {
  readonly release: RandomId;
  readonly manifest: Manifest;
  readonly manifestSha256: string;
  readonly signer: Signer;
  readonly upload: Upload;
};

export async function saveResigned(
  sql: Sql,
  packages: PackageFiles,
  { release, manifest, manifestSha256, signer, upload }: Resigned,
  { replaces, storedBytes, menu, plan }: Extract<Admission, { kind: 'resign' }>,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  await packages.adopt(upload);
  await sql.query(
    `UPDATE packages SET sha256 = $2, bytes = $3, manifest_sha256 = $4, signer_issuer = $5, signer_serial = $6, signer_not_after = $7 WHERE sha256 = $1`,
    [replaces, upload.sha256, upload.bytes, manifestSha256, signer.issuerKeyid, signer.serial, new Date(signer.notAfter)],
  );
  // The file before stays a while: a gateway may be in the middle of fetching it, and a notice that names it may still be on its way.
  await sql.query(
    `INSERT INTO replaced_packages (sha256, software_id, replaced_at) VALUES ($1, $2, $3)
     ON CONFLICT (sha256) DO UPDATE SET replaced_at = excluded.replaced_at`,
    [replaces, manifest.software, new Date(nowMs)],
  );
  await sql.query('UPDATE releases SET stored_bytes = $2, menu = $3 WHERE id = $1', [release, storedBytes, menu]);
  await recordResized(sql, { release, atMs: nowMs });
  await tellGateways(sql, release, manifest, nowMs);
  const detail = { version: manifest.version, sha256: upload.sha256, replaces, signer: signerOf(signer), menu, plan };
  await appendAudit(sql, { actor, action: 'release.resign', subject: manifest.software, detail }, nowMs);
}

/** Whoever is to have the release or runs it. Gateways before targets, the order in which publishing locks them. */
async function tellGateways(sql: Sql, release: RandomId, { software, version }: Manifest, nowMs: number): Promise<void> {
  const rows = await sql.query<{ site: RandomId }>(
    `SELECT DISTINCT site_id AS site FROM targets
     WHERE software_id = $1 AND ended_at IS NULL AND (release_id = $2 OR committed_version = $3)`,
    [software, release, version],
  );
  await markNoticeDue(sql, { sites: rows.map(({ site }) => site) }, nowMs);
  // Another file has to be fetched, in a time of its own: the deadline of the first delivery may be long past.
  await sql.query('UPDATE targets SET deadline = NULL WHERE release_id = $1 AND ended_at IS NULL', [release]);
}

function signerOf({ issuerKeyid, serial, notAfter }: Signer): { issuer: string; serial: string; notAfter: string } {
  return { issuer: issuerKeyid, serial, notAfter };
}

/** An uploaded .tsg on its way in: taken to the disk, proven as a gateway would prove it, measured, and then kept by whoever asked; or gone. */
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { TrustInForce } from '../../protocol/chain/verify-manifest.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { noSink } from '../../protocol/package/payload-reader.ts';
import { readEnvelopeBytes } from '../../protocol/package/tsg.ts';
import { type OpenedPackage, type PackageFile, type SizeCaps, verifyPackage } from '../../protocol/package/verify-package.ts';
import type { Clock, Db, PackageFiles, Sql, Upload } from '../ports.ts';
import type { AdmissionCase } from '../rules/admission.ts';
import type { Actor } from './actor.ts';
import { verifyOwn } from './actor.ts';
import { trustInForce } from './trust-in-force.ts';

export type Received = {
  readonly opened: OpenedPackage;
  readonly manifestSha256: string;
  readonly trust: TrustInForce;
  readonly upload: Upload;
};

type Doors = { readonly db: Db; readonly clock: Clock; readonly packages: PackageFiles; readonly unitBytes: number };

/** The same limits in the unit that is in force (D-01); exclusive. */
export function sizeCapsOf(unitBytes: number): SizeCaps {
  return { storedBytes: 25 * unitBytes, installedBytes: (15 * unitBytes) / 2 };
}

/** @throws TsugiteError of `verifyPackage` · API_FORBIDDEN (a provider with another's package) */
export function provePackage(file: PackageFile, trust: TrustInForce, unitBytes: number, actor: Actor): Promise<OpenedPackage> {
  return verifyPackage(file, trust, noSink, { caps: sizeCapsOf(unitBytes), accept: ({ manifest }) => verifyOwn(actor, manifest.provider) });
}

export function makeReceivePackage({ db, clock, packages, unitBytes }: Doors) {
  /**
   * @param keep  adopts the file and writes its rows, or nothing
   * @throws TsugiteError of `provePackage` · SIZE_OVER_MENU · DISK_FULL · CUSTOMER_INFO_MISSING · those of `keep`; nothing is kept then
   */
  return async <Result>(body: Readable, actor: Actor, keep: (sql: Sql, received: Received) => Promise<Result>): Promise<Result> => {
    const upload = await packages.receive(body, sizeCapsOf(unitBytes).storedBytes);
    try {
      const received = await packages.inspect(upload, async (file) => {
        const trust = await trustInForce(db, clock.nowMs());
        const opened = await provePackage(file, trust, unitBytes, actor);
        return { opened, manifestSha256: sha256(readEnvelopeBytes(file.readAt, opened.layout)), trust, upload };
      });
      return await db.tx((sql) => keep(sql, received));
    } catch (error) {
      throw customerFaultAsSuch(error);
    } finally {
      await packages.drop(upload);
    }
  };
}

/** What the rules want to know of a package that has just come. */
export function caseOf({
  opened: { manifest, signer },
  trust,
  upload,
}: Received): Pick<AdmissionCase, 'manifest' | 'package' | 'revokedSigners'> {
  const signature = { issuer: signer.issuerKeyid, serial: signer.serial, notAfterMs: Date.parse(signer.notAfter) };
  return { manifest, package: { sha256: upload.sha256, bytes: upload.bytes, signer: signature }, revokedSigners: trust.revokedSigners };
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

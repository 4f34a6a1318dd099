/** A whole `.tsg`, from the outside in: outer tar, envelope, chain, manifest, limits, payload. Used by the provider, the server and the installer. */
import { type TrustInForce, type VerifiedManifest, verifyManifestEnvelope } from '../chain/verify-manifest.ts';
import { TsugiteError } from '../errors.ts';
import { limits } from '../limits.ts';
import { type PayloadSink, readPayload } from './payload-reader.ts';
import { type PackageLayout, type ReadAt, readEnvelopeBytes, splitTsg } from './tsg.ts';

export type PackageFile = { readonly readAt: ReadAt; readonly storedBytes: number };

/** Exclusive (未満), DOMAIN §3.1. Lifted only for measurements. */
export type SizeCaps = { readonly storedBytes: number; readonly installedBytes: number };

export const sizeCaps: SizeCaps = { storedBytes: limits.storedBytes, installedBytes: limits.installedBytes };

export type OpenedPackage = VerifiedManifest & { readonly layout: PackageLayout };

/**
 * Everything but the payload: enough to decide whether it may be unpacked at all.
 *
 * @throws TsugiteError with `layer`: PKG_TRUNCATED · PKG_MALFORMED · SIZE_OVER_MENU · SIZE_OVER_PLAN, and those of `verifyManifestEnvelope`
 */
export function openPackage({ readAt, storedBytes }: PackageFile, trust: TrustInForce, caps: SizeCaps = sizeCaps): OpenedPackage {
  if (storedBytes >= caps.storedBytes) throw tooLarge('SIZE_OVER_MENU', caps.storedBytes, storedBytes);
  const layout = splitTsg(readAt, storedBytes);
  const verified = verifyManifestEnvelope(readEnvelopeBytes(readAt, layout), trust);
  const { installedBytes } = verified.manifest.payload;
  if (installedBytes >= caps.installedBytes) throw tooLarge('SIZE_OVER_PLAN', caps.installedBytes, installedBytes);
  return { ...verified, layout };
}

/**
 * @param accept  a further yes or no of the caller (is it what the notice promised, for this model, small enough); throws to refuse, before anything is unpacked
 * @throws what `openPackage`, `accept`, `readPayload` and the sink throw
 */
export async function verifyPackage(
  file: PackageFile,
  trust: TrustInForce,
  sink: PayloadSink,
  { accept, caps }: { accept?: (opened: OpenedPackage) => void; caps?: SizeCaps } = {},
): Promise<OpenedPackage> {
  const opened = openPackage(file, trust, caps);
  accept?.(opened);
  await readPayload(file.readAt, opened.layout.payload, opened.manifest, sink);
  return opened;
}

function tooLarge(code: 'SIZE_OVER_MENU' | 'SIZE_OVER_PLAN', limit: number, actual: number): TsugiteError {
  return new TsugiteError(code, { layer: 'limits', kind: 'size', limit, actual });
}

/** A packed, unsigned build: `manifest.json` (the bytes that will be signed) and `payload.tar.br`. */
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { limits } from '../../protocol/limits.ts';
import { noSink, readPayload } from '../../protocol/package/payload-reader.ts';
import { type Manifest, parseManifest } from '../../protocol/statements/manifest.ts';
import { isThere, makeFolder, readBytes, replaceFile } from './files.ts';

const manifestFile = 'manifest.json';
const payloadFile = 'payload.tar.br';

export type Build = { readonly manifest: Manifest; readonly manifestBytes: Buffer; readonly payload: Buffer };

export function isBuildFolder(folder: string): boolean {
  return isThere(join(folder, payloadFile));
}

export function writeBuild(folder: string, manifestBytes: Uint8Array, payload: Uint8Array): void {
  makeFolder(folder);
  replaceFile(join(folder, payloadFile), payload);
  replaceFile(join(folder, manifestFile), manifestBytes);
}

/** @throws TsugiteError FILE_UNREADABLE · SIZE_OVER_MENU · STATEMENT_MALFORMED · JSON_NOT_COMPACT · PKG_MALFORMED · PKG_PAYLOAD_MISMATCH */
export async function readBuild(folder: string): Promise<Build> {
  const manifestBytes = readBytes(join(folder, manifestFile));
  const manifest = parseManifest(manifestBytes);
  const payload = readBytes(join(folder, payloadFile));
  if (payload.length >= limits.storedBytes) throw new TsugiteError('SIZE_OVER_MENU', { limit: limits.storedBytes, actual: payload.length });
  const readAt = (offset: number, length: number) => payload.subarray(offset, offset + length);
  await readPayload(readAt, { offset: 0, length: payload.length, encoding: 'br' }, manifest, noSink);
  return { manifest, manifestBytes, payload };
}

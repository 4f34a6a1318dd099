import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { canonicalTar } from '../../protocol/package/canonical-tar.ts';
import { faultOfName, foldedName, foldersAbove } from '../../protocol/package/names.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import { writeBuild } from '../adapters/build-folder.ts';
import { compressPayload } from '../adapters/compression.ts';
import { type FoundFile, isFolder, listFiles, readBytes, readText } from '../adapters/files.ts';
import { assertInstallable, completeManifest, parseDraft } from '../rules/draft.ts';
import { bytesText } from '../rules/texts.ts';

export type Packed = { readonly manifest: Manifest; readonly manifestBytes: Buffer; readonly payload: Buffer };

/** `tsugite pack DIR --out BUILD`: the folder's `app/` becomes `/app` on the gateway. Same input, same bytes. */
export function packFolder(folder: string, out: string): Answer {
  const { manifest, manifestBytes, payload } = packInMemory(folder);
  writeBuild(out, manifestBytes, payload);
  const { software, version } = manifest;
  const { files, installedBytes, sha256 } = manifest.payload;
  return {
    value: { software, version, out, files, installedBytes, compressedBytes: payload.length, payloadSha256: sha256 },
    lines: [
      `${software} ${version} → ${out}`,
      `  ファイル数 / files: ${files}`,
      `  インストール後 / installed: ${bytesText(installedBytes)}   圧縮後 / compressed: ${bytesText(payload.length)}`,
      `  payload sha256: ${sha256}`,
      `次は / next: tsugite measure ${out} ; tsugite sign ${out} --key provider.key.pem --cert chain.pem --out ${software}-${version}.tsg`,
    ],
  };
}

/** @throws TsugiteError STATEMENT_MALFORMED · INPUT_REFUSED · SIZE_INVALID · SIZE_OVER_PLAN · PKG_MALFORMED */
export function packInMemory(folder: string): Packed {
  const draft = parseDraft(readText(join(folder, 'manifest.json')));
  const app = join(folder, 'app');
  if (!isFolder(app)) throw new TsugiteError('FILE_UNREADABLE', { path: app, kind: 'app-folder-missing' });
  const files = listFiles(app);
  assertGoodNames(files);
  const installedBytes = files.reduce((sum, file) => sum + file.size, 0);
  assertInstallable(installedBytes);
  const tar = Buffer.concat([...canonicalTar(files, ({ name }) => readBytes(join(app, name)))]);
  const { manifest, bytes } = completeManifest(draft, {
    sha256: createHash('sha256').update(tar).digest('hex'),
    tarBytes: tar.length,
    installedBytes,
    files: files.length,
    encoding: 'br',
  });
  assertEntryFile(manifest, files);
  return { manifest, manifestBytes: bytes, payload: compressPayload(tar) };
}

/** All bad names at once: nobody wants to learn of them one by one. */
function assertGoodNames(files: readonly FoundFile[]): void {
  const faults: { field: string; fault: string }[] = [];
  const seen = new Map<string, string>();
  const names = [...new Set(files.flatMap(({ name }) => [name, ...foldersAbove(name).map((folder) => folder.slice(0, -1))]))];
  for (const name of names) {
    const fault = faultOfName(name);
    if (fault !== undefined) faults.push({ field: name, fault });
    const twin = seen.get(foldedName(name));
    if (twin !== undefined) faults.push({ field: name, fault: `same name as ${twin} on some file systems` });
    seen.set(foldedName(name), name);
  }
  if (faults.length > 0) throw new TsugiteError('INPUT_REFUSED', { kind: 'names', faults: faults.slice(0, 20) });
}

function assertEntryFile({ entry }: Manifest, files: readonly FoundFile[]): void {
  const file = files.find(({ name }) => name === entry.args[0]);
  if (file === undefined) throw new TsugiteError('PKG_MALFORMED', { kind: 'entry-file-missing', expected: entry.args[0] });
  if (entry.runtime === 'exec' && !file.isExecutable)
    throw new TsugiteError('PKG_MALFORMED', { kind: 'entry-file-not-executable', found: file.name });
}

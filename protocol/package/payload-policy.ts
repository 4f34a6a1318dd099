/** What a payload may hold (DESIGN §5), entry by entry, against the numbers that the provider signed. Pure: knows nothing of disks and parsers. */
import { TsugiteError } from '../errors.ts';
import type { Manifest } from '../statements/manifest.ts';
import { compareStoredNames, isFolder } from './canonical-tar.ts';
import { faultOfName, foldedName, foldersAbove } from './names.ts';

/** An entry as a tar reader understood it. */
export type SeenEntry = {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly mode: number;
};

export type PayloadPolicy = {
  /** @throws TsugiteError PKG_MALFORMED · PKG_PAYLOAD_MISMATCH */
  admit(entry: SeenEntry): void;
  /** Called when the tar has ended. @throws as `admit` */
  finish(): void;
};

export function makePayloadPolicy(manifest: Manifest): PayloadPolicy {
  const { payload, entry: start } = manifest;
  const folded = new Set<string>();
  const folders = new Set<string>();
  const usedFolders = new Set<string>();
  let previousName = '';
  let files = 0;
  let installedBytes = 0;
  let startMode: number | undefined;

  function admitFile(entry: SeenEntry): void {
    for (const folder of foldersAbove(entry.name)) {
      if (!folders.has(folder)) throw malformed('folder-missing', { found: entry.name, expected: folder });
      usedFolders.add(folder);
    }
    files += 1;
    installedBytes += entry.size;
    // Checked before a byte of the file is written: the sizes are the sender's claim.
    if (files > payload.files) throw mismatch('files', payload.files, files);
    if (installedBytes > payload.installedBytes) throw mismatch('installed-bytes', payload.installedBytes, installedBytes);
    if (entry.name === start.args[0]) startMode = entry.mode;
  }

  return {
    admit(entry) {
      if (entry.type !== (isFolder(entry) ? 'Directory' : 'File')) throw malformed('entry-type', { found: entry.type, name: entry.name });
      const name = isFolder(entry) ? entry.name.slice(0, -1) : entry.name;
      const fault = faultOfName(name);
      if (fault !== undefined) throw malformed(fault, { found: entry.name });
      if (entry.mode !== 0o755 && (isFolder(entry) || entry.mode !== 0o644))
        throw malformed('mode', { found: entry.mode.toString(8), name });
      const key = foldedName(name);
      if (folded.has(key)) throw malformed('duplicate-name', { found: entry.name });
      folded.add(key);
      if (previousName !== '' && compareStoredNames(previousName, entry.name) >= 0)
        throw malformed('order', { found: entry.name, after: previousName });
      previousName = entry.name;
      if (!isFolder(entry)) return admitFile(entry);
      folders.add(entry.name);
      if (folders.size > payload.files * 31) throw malformed('too-many-folders', { limit: payload.files * 31 });
    },
    finish() {
      if (files !== payload.files) throw mismatch('files', payload.files, files);
      if (installedBytes !== payload.installedBytes) throw mismatch('installed-bytes', payload.installedBytes, installedBytes);
      for (const folder of folders) if (!usedFolders.has(folder)) throw malformed('empty-folder', { found: folder });
      if (startMode === undefined) throw malformed('entry-file-missing', { expected: start.args[0] });
      if (start.runtime === 'exec' && startMode !== 0o755) throw malformed('entry-file-not-executable', { found: start.args[0] });
    },
  };
}

function malformed(kind: string, detail: Record<string, unknown>): TsugiteError {
  return new TsugiteError('PKG_MALFORMED', { layer: 'payload', kind, ...detail });
}

function mismatch(kind: string, expected: unknown, found: unknown): TsugiteError {
  return new TsugiteError('PKG_PAYLOAD_MISMATCH', { layer: 'payload', kind, expected, found });
}

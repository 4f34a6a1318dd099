import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';

/**
 * Replaces a file so that, after a power cut, it holds the old content or the new, never a mix.
 *
 * @param path           the temporary file is made in the same folder, hence on the same file system
 * @param keepPreviousAt another name in the same folder under which the old content stays
 * @throws TsugiteError DISK_FULL · STORE_IO (what was there is unchanged)
 * @see rename(2), fsync(2): the rename is atomic, and durable only once the folder is synced too
 */
export function replaceFile(
  path: string,
  bytes: string | Uint8Array,
  { mode = 0o600, keepPreviousAt }: { mode?: number; keepPreviousAt?: string } = {},
): void {
  const temporary = `${path}.new`;
  try {
    writeSynced(temporary, typeof bytes === 'string' ? Buffer.from(bytes) : bytes, mode);
    if (keepPreviousAt !== undefined) keepPrevious(path, keepPreviousAt);
    renameSync(temporary, path);
    syncFolder(dirname(path));
  } catch (cause) {
    rmSync(temporary, { force: true, recursive: true });
    throw toDiskError(cause, path);
  }
}

/** @returns undefined when there is no such file  @throws TsugiteError STORE_IO */
export function readFileIfAny(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT')) return undefined;
    throw toDiskError(cause, path);
  }
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Makes a folder whose names others may pass through, but not read, unless `mode` says otherwise. */
export function makeFolder(path: string, mode = 0o711): void {
  try {
    mkdirSync(path, { recursive: true, mode });
  } catch (cause) {
    throw toDiskError(cause, path);
  }
}

/** A full disk is mended by making room, a broken one by exchanging the gateway: two codes. */
export function toDiskError(cause: unknown, path: string): TsugiteError {
  if (cause instanceof TsugiteError) return cause;
  const isFull = isErrno(cause, 'ENOSPC') || isErrno(cause, 'EDQUOT');
  return new TsugiteError(isFull ? 'DISK_FULL' : 'STORE_IO', { path, at: errnoOf(cause) ?? 'unknown' }, { cause });
}

export function isErrno(error: unknown, code: string): boolean {
  return errnoOf(error) === code;
}

function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function writeSynced(path: string, bytes: Uint8Array, mode: number): void {
  rmSync(path, { force: true, recursive: true });
  const file = openSync(path, 'wx', mode);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** By a second link, so that at no moment the file itself is missing. */
function keepPrevious(path: string, previous: string): void {
  rmSync(previous, { force: true });
  try {
    linkSync(path, previous);
  } catch (cause) {
    if (!isErrno(cause, 'ENOENT')) throw cause;
  }
}

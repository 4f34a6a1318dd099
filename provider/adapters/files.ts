/** The provider's files: read, listed, and written so that a half-written one is never left under its name. */
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { PackageFile } from '../../protocol/package/verify-package.ts';

export function readBytes(path: string): Buffer {
  return atPath(path, () => readFileSync(path));
}

export function readText(path: string): string {
  return readBytes(path).toString('utf8');
}

/** Of a regular file. @throws TsugiteError FILE_UNREADABLE */
export function fileSize(path: string): number {
  const stat = atPath(path, () => statSync(path));
  if (!stat.isFile()) throw new TsugiteError('FILE_UNREADABLE', { path, kind: 'not a file' });
  return stat.size;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

export function isThere(path: string): boolean {
  return existsSync(path);
}

export function isEmptyFolder(path: string): boolean {
  return isFolder(path) && atPath(path, () => readdirSync(path)).length === 0;
}

export function makeFolder(path: string): void {
  atPath(path, () => mkdirSync(path, { recursive: true }));
}

/** Replaces a file as a whole, durably. */
export function replaceFile(path: string, bytes: Uint8Array | string, mode = 0o644): void {
  atPath(path, () => {
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
    try {
      writeDurably(temporary, bytes, 'wx', mode);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

/** Writes a file that must not be there yet: keys are never overwritten. */
export function createFile(path: string, bytes: Uint8Array | string, mode: number): void {
  atPath(path, () => writeDurably(path, bytes, 'wx', mode));
}

export type FoundFile = { readonly name: string; readonly size: number; readonly isExecutable: boolean };

/**
 * The regular files below a folder, by their names with `/`.
 *
 * @throws TsugiteError INPUT_REFUSED for links, devices and the like: a package cannot hold them
 */
export function listFiles(folder: string): FoundFile[] {
  const others: string[] = [];
  const files = walk(folder, '', others);
  if (others.length > 0)
    throw new TsugiteError('INPUT_REFUSED', {
      faults: others.slice(0, 20).map((field) => ({ field, fault: 'not a regular file or folder' })),
    });
  return files;
}

function walk(folder: string, prefix: string, others: string[]): FoundFile[] {
  // Names as bytes: one that is not UTF-8 would be read as another name.
  const entries = atPath(folder, () => readdirSync(folder, { encoding: 'buffer' })).map(utf8Name);
  return entries.flatMap((entry) => {
    const path = join(folder, entry);
    const name = `${prefix}${entry}`;
    const stat = atPath(path, () => lstatSync(path));
    if (stat.isDirectory()) return walk(path, `${name}/`, others);
    if (stat.isFile()) return [{ name, size: stat.size, isExecutable: (stat.mode & 0o100) !== 0 }];
    others.push(name);
    return [];
  });
}

/** A package file, read in pieces. The caller closes it. */
export function openPackageFile(path: string): PackageFile & { close(): void } {
  return atPath(path, () => {
    const file = openSync(path, 'r');
    const { size } = fstatSync(file);
    return {
      storedBytes: size,
      readAt(offset, length) {
        const bytes = Buffer.allocUnsafe(length);
        return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
      },
      close: () => closeSync(file),
    };
  });
}

function writeDurably(path: string, bytes: Uint8Array | string, flag: string, mode: number): void {
  const file = openSync(path, flag, mode);
  try {
    writeFileSync(file, bytes);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function utf8Name(name: Buffer): string {
  const text = name.toString('utf8');
  if (!Buffer.from(text).equals(name))
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: text, fault: 'file name is not UTF-8' }] });
  return text;
}

function atPath<Result>(path: string, job: () => Result): Result {
  try {
    return job();
  } catch (cause) {
    const { code, errno } = cause as NodeJS.ErrnoException;
    if (errno === undefined) throw cause;
    if (code === 'EEXIST') throw new TsugiteError('FILE_EXISTS', { path }, { cause });
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new TsugiteError('DISK_FULL', { path }, { cause });
    throw new TsugiteError('FILE_UNREADABLE', { path, kind: code }, { cause });
  }
}

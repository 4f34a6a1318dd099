import { closeSync, constants, fsyncSync, lstatSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isErrno } from './durable-file.ts';

const zeros = Buffer.alloc(64 * 1024);

/**
 * Overwrites every regular file, then deletes the tree: what one household left must not be found by the next one on the same flash. The tree
 * may be an app's, so links are never followed.
 */
export async function eraseTree(path: string): Promise<void> {
  for (const file of filesBelow(path)) overwrite(file.path, file.bytes);
  await rm(path, { recursive: true, force: true });
}

/** Allocated bytes of the regular files below; 0 when there is nothing. */
export function treeBytes(path: string): number {
  return filesBelow(path).reduce((sum, file) => sum + file.allocatedBytes, 0);
}

type FileBelow = { path: string; bytes: number; allocatedBytes: number };

function filesBelow(path: string): FileBelow[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  if (stat.isFile()) return [{ path, bytes: stat.size, allocatedBytes: stat.blocks * 512 }];
  if (!stat.isDirectory()) return [];
  return readdirSync(path).flatMap((name) => filesBelow(join(path, name)));
}

function overwrite(path: string, bytes: number): void {
  let file: number;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // An immutable or vanished file cannot be overwritten; deleting it says so if that matters.
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EACCES') || isErrno(error, 'EPERM') || isErrno(error, 'ELOOP')) return;
    throw error;
  }
  try {
    // A sparse file has a size without end: beyond what a quota could hold it is only holes.
    for (let at = 0; at < Math.min(bytes, 64 * 1024 * 1024); at += zeros.length)
      writeSync(file, zeros, 0, Math.min(zeros.length, bytes - at), at);
    fsyncSync(file);
  } catch (error) {
    // A full disk cannot take the blocks of a hole; what had blocks was overwritten before.
    if (!isErrno(error, 'ENOSPC')) throw error;
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

/**
 * Trees that an app may have made: any name, any depth, links to anywhere. Each component is opened by itself, below the descriptor of the one
 * above, and never followed (O_NOFOLLOW): what a name led to a moment ago does not matter.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { setImmediate as yieldToOthers } from 'node:timers/promises';
import { isErrno } from './durable-file.ts';

const zeros = Buffer.alloc(64 * 1024);
/** Deeper, or with more in it, is no tree that somebody uses: it counts as larger than any limit. */
const countedDepth = 64;
const countedEntries = 100_000;
/** An app's file ends here at the latest (RLIMIT_FSIZE, rules/sandbox-profile.ts); our own images have no holes. */
const overwrittenHoles = 64 * 1024 * 1024;

/** Overwrites every regular file, then deletes it: what one household left must not be found by the next one on the same flash. */
export async function eraseTree(path: string): Promise<void> {
  const above = openFolder(dirname(path));
  if (above === undefined) return;
  try {
    await eraseEntry(above, Buffer.from(basename(path)));
  } finally {
    closeSync(above);
  }
}

async function eraseEntry(above: number, name: Buffer): Promise<void> {
  const top = openFolder(below(above, name));
  if (top === undefined) return eraseFile(above, name);
  try {
    await emptyFolder(top);
  } finally {
    closeSync(top);
  }
  rmdirSync(below(above, name));
}

/** A folder inside a folder is lifted to the top before it is emptied, so that no depth is too deep. */
async function emptyFolder(top: number): Promise<void> {
  let lifted = 0;
  for (let names = namesOf(top); names.length > 0; names = namesOf(top)) {
    for (const name of names) {
      const folder = openFolder(below(top, name));
      if (folder === undefined) {
        eraseFile(top, name);
        continue;
      }
      try {
        for (const child of namesOf(folder)) {
          if (lstatSync(below(folder, child)).isDirectory()) {
            lifted += 1;
            renameSync(below(folder, child), below(top, Buffer.from(`erasing.${lifted}`)));
          } else eraseFile(folder, child);
        }
      } finally {
        closeSync(folder);
      }
      rmdirSync(below(top, name));
      await yieldToOthers();
    }
  }
}

/** Allocated bytes of the regular files below; 0 when there is nothing. */
export function treeBytes(path: string): number {
  let entries = 0;
  const count = (at: string | Buffer, depth: number): number => {
    const folder = openFolder(at);
    if (folder === undefined) return 0;
    try {
      return namesOf(folder).reduce((sum, name) => {
        entries += 1;
        if (depth >= countedDepth || entries > countedEntries) return Number.MAX_SAFE_INTEGER;
        const stat = lstatSync(below(folder, name), { throwIfNoEntry: false });
        const bytes = stat?.isDirectory() ? count(below(folder, name), depth + 1) : stat?.isFile() ? stat.blocks * 512 : 0;
        return Math.min(Number.MAX_SAFE_INTEGER, sum + bytes);
      }, 0);
    } finally {
      closeSync(folder);
    }
  };
  const own = lstatSync(path, { throwIfNoEntry: false });
  return own?.isFile() ? own.blocks * 512 : count(path, 1);
}

/** The kernel resolves the descriptor, not the name by which the folder was found. */
function below(folder: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${folder}/`), name]);
}

/** @returns undefined when it is no folder, or not there */
function openFolder(path: string | Buffer): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].some((code) => isErrno(error, code))) return undefined;
    throw error;
  }
}

/** A name need not be text: only as bytes it is found again. */
function namesOf(folder: number): Buffer[] {
  return readdirSync(`/proc/self/fd/${folder}`, 'buffer');
}

function eraseFile(folder: number, name: Buffer): void {
  const path = below(folder, name);
  let file: number | undefined;
  try {
    file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(file);
    if (stat.isFile()) overwrite(file, Math.min(stat.size, Math.max(overwrittenHoles, stat.blocks * 512)));
  } catch (error) {
    // A link, a socket, a pipe that nobody reads, something immutable or vanished: there is nothing to overwrite, and deleting it says the rest.
    if (!['ENOENT', 'EACCES', 'EPERM', 'ELOOP', 'ENXIO', 'ETXTBSY'].some((code) => isErrno(error, code))) throw error;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function overwrite(file: number, bytes: number): void {
  try {
    for (let at = 0; at < bytes; at += zeros.length) writeSync(file, zeros, 0, Math.min(zeros.length, bytes - at), at);
    fsyncSync(file);
  } catch (error) {
    // A full disk cannot take the blocks of a hole; what had blocks was overwritten before.
    if (!isErrno(error, 'ENOSPC')) throw error;
  }
}

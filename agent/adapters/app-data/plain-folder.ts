/** Where no image can be mounted: a folder of the gateway's own file system, without any limit of the kernel's. The agent counts what is in it. */
import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TsugiteError } from '../../../protocol/errors.ts';
import { syncFolder, toDiskError } from '../durable-file.ts';
import { eraseTree, treeBytes } from '../erase-tree.ts';
import type { DataArea } from './area.ts';

const run = promisify(execFile);

/**
 *   data            the app's own
 *   data.kept       whole copy of `data` as it was before an update that changes its format
 *   data.copying    a copy on the way; `data.undone` what a rollback replaces: both worthless after a power cut
 */
export const plainFolder: DataArea = {
  async prepare(folder, { uid }) {
    const path = join(folder, 'data');
    // An image that cannot be mounted any more must not look like software without data.
    if (existsSync(join(folder, 'data.img')))
      throw new TsugiteError('STORE_IO', { kind: 'image-unusable', path: join(folder, 'data.img') });
    try {
      if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
      if (process.getuid?.() === 0) chownSync(path, uid, uid);
    } catch (cause) {
      throw toDiskError(cause, path);
    }
    return { data: { kind: 'folder', path }, news: [] };
  },
  usedBytes: (folder) => treeBytes(join(folder, 'data')),
  bytes: (folder) => treeBytes(join(folder, 'data')),
  roomFor: () => 0,
  async keep(folder) {
    const [data, copying, kept] = ['data', 'data.copying', 'data.kept'].map((name) => join(folder, name)) as [string, string, string];
    if (existsSync(kept) || !existsSync(data)) return;
    try {
      await eraseTree(copying);
      // cp, because the tree is the app's: sparse files, odd names and special files are its daily work.
      await run('cp', ['--archive', '--', data, copying]);
      await run('sync', ['-f', copying]);
      renameSync(copying, kept);
      syncFolder(folder);
    } catch (cause) {
      await eraseTree(copying);
      throw toDiskError(noSpaceOf(cause), data);
    }
  },
  async restore(folder) {
    const [data, kept, undone] = ['data', 'data.kept', 'data.undone'].map((name) => join(folder, name)) as [string, string, string];
    if (!existsSync(kept)) return eraseTree(undone);
    try {
      // Between the two renames `data` is missing; `data.kept` still is there, so a restart comes back to here.
      if (existsSync(data)) {
        await eraseTree(undone);
        renameSync(data, undone);
      }
      renameSync(kept, data);
      syncFolder(folder);
      await eraseTree(undone);
    } catch (cause) {
      throw toDiskError(cause, data);
    }
  },
  dropKept: (folder) => eraseTree(join(folder, 'data.kept')),
  release: async () => {},
};

/** cp says it in words, in the language of its locale (none was passed on: C). */
export function noSpaceOf(cause: unknown): unknown {
  const isFull = cause instanceof Error && cause.message.includes('No space left on device');
  return isFull ? Object.assign(new Error('cp: no space', { cause }), { code: 'ENOSPC' }) : cause;
}

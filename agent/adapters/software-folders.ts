import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type ProviderId, providerId, type SoftwareId, softwareId } from '../../protocol/fields.ts';
import type { FolderOf, SoftwareFolders } from '../ports/disk.ts';
import { makeFolder, syncFolder, toDiskError } from './durable-file.ts';
import { eraseTree, treeBytes } from './erase-tree.ts';

const run = promisify(execFile);

/**
 * `<data>/software/<provider>/<name>/`:
 *
 *   current, previous   links to packages in the store
 *   data                the app's own
 *   data.kept           whole copy of `data` as it was before an update that changes its format
 *   data.copying        a copy on the way; `data.undone` what a rollback replaces: both worthless after a power cut
 */
export function makeSoftwareFolders(dataDir: string): SoftwareFolders {
  const top = join(dataDir, 'software');
  makeFolder(top);
  const folderOf = ({ provider, software }: FolderOf) => join(top, provider, software);

  return {
    prepareData(of, uid) {
      const path = join(folderOf(of), 'data');
      try {
        makeFolder(folderOf(of));
        if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
        if (process.getuid?.() === 0) chownSync(path, uid, uid);
      } catch (cause) {
        throw toDiskError(cause, path);
      }
      return path;
    },
    dataBytes: (of) => treeBytes(join(folderOf(of), 'data')),
    point(of, link, sha256) {
      const path = join(folderOf(of), link);
      try {
        makeFolder(folderOf(of));
        if (sha256 === null) rmSync(path, { force: true });
        else {
          rmSync(`${path}.new`, { force: true });
          symlinkSync(join('..', '..', '..', 'store', sha256), `${path}.new`);
          renameSync(`${path}.new`, path);
        }
        syncFolder(folderOf(of));
      } catch (cause) {
        throw toDiskError(cause, path);
      }
    },
    async keepData(of) {
      const [data, copying, kept] = ['data', 'data.copying', 'data.kept'].map((name) => join(folderOf(of), name)) as [
        string,
        string,
        string,
      ];
      if (existsSync(kept) || !existsSync(data)) return;
      try {
        await rm(copying, { recursive: true, force: true });
        // cp, because the tree is the app's: sparse files, odd names and special files are its daily work.
        await run('cp', ['--archive', '--', data, copying]);
        await run('sync', ['-f', copying]);
        renameSync(copying, kept);
        syncFolder(folderOf(of));
      } catch (cause) {
        await rm(copying, { recursive: true, force: true });
        throw toDiskError(noSpaceOf(cause), data);
      }
    },
    async restoreData(of) {
      const [data, kept, undone] = ['data', 'data.kept', 'data.undone'].map((name) => join(folderOf(of), name)) as [string, string, string];
      if (!existsSync(kept)) return void (await rm(undone, { recursive: true, force: true }));
      try {
        // Between the two renames `data` is missing; `data.kept` still is there, so a restart comes back to here.
        if (existsSync(data)) {
          await rm(undone, { recursive: true, force: true });
          renameSync(data, undone);
        }
        renameSync(kept, data);
        syncFolder(folderOf(of));
        await rm(undone, { recursive: true, force: true });
      } catch (cause) {
        throw toDiskError(cause, data);
      }
    },
    dropKeptData: (of) => rm(join(folderOf(of), 'data.kept'), { recursive: true, force: true }),
    async purge(of) {
      try {
        await eraseTree(folderOf(of));
        // The provider's folder goes with its last software.
        if (existsSync(join(top, of.provider)) && readdirSync(join(top, of.provider)).length === 0)
          rmSync(join(top, of.provider), { recursive: true });
        syncFolder(top);
      } catch (cause) {
        throw toDiskError(cause, folderOf(of));
      }
    },
    list: () =>
      namesIn(top, (name) => providerId.safeParse(name).data).flatMap((provider: ProviderId) =>
        namesIn(join(top, provider), (name) => softwareId.safeParse(name).data).map((software: SoftwareId) => ({ provider, software })),
      ),
  };
}

function namesIn<Id>(folder: string, parse: (name: string) => Id | undefined): Id[] {
  return readdirSync(folder).flatMap((name) => parse(name) ?? []);
}

/** cp says it in words, in the language of its locale (none was passed on: C). */
function noSpaceOf(cause: unknown): unknown {
  const isFull = cause instanceof Error && cause.message.includes('No space left on device');
  return isFull ? Object.assign(new Error('cp: no space', { cause }), { code: 'ENOSPC' }) : cause;
}

import { execFile } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { digest } from '../../protocol/fields.ts';
import type { PackageStore, Random } from '../ports.ts';
import { makeFolder, syncFolder, toDiskError } from './durable-file.ts';

const run = promisify(execFile);

/**
 * `<data>/store/<sha256>/`: unpacked packages, named by the digest of the .tsg they came from. They belong to the installer's uid, which no app
 * has, so an app can neither write nor chmod the code that it runs.
 *
 * @param ownerUid  undefined when the agent is not root: then everything belongs to the one user there is
 */
export function makePackageStore(dataDir: string, { random, ownerUid }: { random: Random; ownerUid: number | undefined }): PackageStore {
  const store = join(dataDir, 'store');
  const staging = join(dataDir, 'staging');
  for (const folder of [store, staging]) makeFolder(folder);
  const pathOf = (sha256: string) => join(store, sha256);

  return {
    has: (sha256) => existsSync(pathOf(sha256)),
    pathOf,
    newStagingDir() {
      // A fresh name each time: whatever a refused package left behind is never taken for a part of the next.
      const path = join(staging, random.hex(16));
      try {
        mkdirSync(path, { mode: 0o700 });
        if (ownerUid !== undefined) chownSync(path, ownerUid, ownerUid);
      } catch (cause) {
        throw toDiskError(cause, path);
      }
      return path;
    },
    async promote(stagingDir, sha256) {
      try {
        if (existsSync(pathOf(sha256))) return void (await rm(stagingDir, { recursive: true, force: true }));
        chmodSync(stagingDir, 0o755);
        // One syncfs for the whole tree: an fsync a file costs ten times as much on 2,000 files, and Node has no binding for it.
        await run('sync', ['-f', stagingDir]);
        renameSync(stagingDir, pathOf(sha256));
        syncFolder(store);
      } catch (cause) {
        throw toDiskError(cause, pathOf(sha256));
      }
    },
    async discard(stagingDir) {
      // The reason why it is discarded must reach the technician, not a second one from here.
      await rm(stagingDir, { recursive: true, force: true }).catch(() => {});
    },
    async remove(sha256) {
      if (!existsSync(pathOf(sha256))) return;
      // First out of the store in one step: a half-removed package must not look like a whole one after a power cut.
      const doomed = join(staging, `removed-${random.hex(16)}`);
      renameSync(pathOf(sha256), doomed);
      syncFolder(store);
      await rm(doomed, { recursive: true, force: true });
    },
    list: () => readdirSync(store).flatMap((name) => (digest.safeParse(name).success ? [digest.parse(name)] : [])),
    sweepStaging() {
      for (const name of readdirSync(staging)) rmSync(join(staging, name), { recursive: true, force: true });
    },
  };
}

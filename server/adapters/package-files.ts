/** `<data>/packages/<sha256>`: written beside, synced, then given its name; never changed, so a reader needs no lock. */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, createWriteStream, fstatSync, openSync, readSync } from 'node:fs';
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { TsugiteError } from '../../protocol/errors.ts';
import { digest } from '../../protocol/fields.ts';
import type { PackageFile } from '../../protocol/package/verify-package.ts';
import type { PackageFiles, Random } from '../ports.ts';

/** Over TLS, chunks of this size serve a third more per second than the default of 64 KiB. */
const chunkBytes = 256 * 1024;
/** Longer than any request may take: an upload this old is nobody's any more, whichever server began it. */
const abandonedMs = 3_600_000;

/** The folder decides who may read: closed to all but us, unless the operator opens it to a web server's group (docs/operations/brokers.md). */
const packageMode = 0o644;

/** @param server  our name among those that take uploads into the same folder; undefined: there is no other */
export async function openPackageFiles(folder: string, random: Random, server?: string): Promise<PackageFiles> {
  const incoming = join(folder, 'incoming');
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  // Uploads that a stop or a kill cut short.
  const cutShort = server === undefined ? await readdir(incoming) : await abandonedIn(incoming, server);
  for (const name of cutShort) await rm(join(incoming, name), { recursive: true, force: true });

  return {
    receive: async (body, limitBytes) => {
      const path = join(incoming, `${server ?? 'upload'}-${random.id()}`);
      const hash = createHash('sha256');
      let bytes = 0;
      const meter = new Transform({
        transform: (chunk: Buffer, _, done) => {
          bytes += chunk.length;
          if (bytes >= limitBytes) return done(new TsugiteError('SIZE_OVER_MENU', { limit: limitBytes, actual: bytes }));
          hash.update(chunk);
          done(null, chunk);
        },
      });
      try {
        await pipeline(body, meter, createWriteStream(path, { flags: 'wx', mode: packageMode, flush: true }));
      } catch (error) {
        await rm(path, { force: true });
        throw asStoreError(error, folder);
      }
      return { path, sha256: digest.parse(hash.digest('hex')), bytes };
    },
    adopt: async (upload) => {
      await link(upload.path, join(folder, upload.sha256)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error; // the same digest is the same bytes
      });
      await syncFolder(folder); // the new name is durable only once its folder is
    },
    drop: (upload) => rm(upload.path, { force: true }),
    size: async (sha256) => {
      try {
        return (await stat(join(folder, sha256))).size;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    open: (sha256, range) => createReadStream(join(folder, sha256), { ...range, highWaterMark: chunkBytes }),
    inspect: (upload, look) => inspectFile(upload.path, look),
    inspectKept: (sha256, look) => inspectFile(join(folder, sha256), look),
    remove: (sha256) => rm(join(folder, sha256), { force: true }),
    list: async () => (await readdir(folder)).flatMap((name) => digest.safeParse(name).data ?? []),
  };
}

async function inspectFile<T>(path: string, look: (file: PackageFile) => Promise<T>): Promise<T> {
  const fd = openSync(path, 'r');
  try {
    return await look({ storedBytes: fstatSync(fd).size, readAt: (offset, length) => readAt(fd, offset, length) });
  } finally {
    closeSync(fd);
  }
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(fd, bytes, filled, length - filled, offset + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}

/** Our own of before, and what nobody can be at any more. */
async function abandonedIn(folder: string, server: string): Promise<string[]> {
  const before = Date.now() - abandonedMs;
  const names = await readdir(folder);
  const ages = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => Infinity,
      ),
    ),
  );
  return names.filter((name, at) => name.startsWith(`${server}-`) || (ages[at] as number) < before);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function asStoreError(error: unknown, path: string): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOSPC' || code === 'EDQUOT' ? new TsugiteError('DISK_FULL', { path }, { cause: error }) : error;
}

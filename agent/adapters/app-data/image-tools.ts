/** The programs that make, check, mount and resize an ext4 image. */
import { execFile } from 'node:child_process';
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { mkdir, open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TsugiteError } from '../../../protocol/errors.ts';
import { type ImageFacts, mkfsArguments, mountOptions, readSuperblock } from '../../rules/data-image.ts';
import { isErrno, toDiskError } from '../durable-file.ts';

const toolNames = ['mkfs.ext4', 'e2fsck', 'resize2fs', 'losetup', 'mount', 'umount', 'unshare', 'nsenter', 'sh', 'cp', 'sync'] as const;
type ToolName = (typeof toolNames)[number];
const toolFolders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const toolTimeoutMs = 120_000;

const pathOf = (name: ToolName) => toolFolders.map((folder) => join(folder, name)).find((path) => existsSync(path));

export function missingImageTools(): string[] {
  return toolNames.filter((name) => pathOf(name) === undefined);
}

/** @returns its exit status and what it said  @throws TsugiteError STORE_IO when it could not run, or ended by none of `allowed` */
async function run(name: ToolName, args: readonly string[], allowed: readonly number[] = [0]): Promise<{ status: number; out: string }> {
  const options = { timeout: toolTimeoutMs, env: { LC_ALL: 'C', PATH: toolFolders.join(':') } };
  return new Promise((resolve, reject) => {
    execFile(pathOf(name) ?? name, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      if (allowed.includes(status)) return resolve({ status, out: stdout });
      const isFull = stderr.includes('No space left on device');
      const detail = { kind: 'image', at: name, status, said: stderr.slice(0, 300) };
      reject(new TsugiteError(isFull ? 'DISK_FULL' : 'STORE_IO', detail, { cause: error }));
    });
  });
}

const zeros = Buffer.alloc(256 * 1024);

/** Makes an image whose every block is taken: an app's write can then not fail for the gateway's want of space. Durable before it returns. */
export async function makeImage(path: string, bytes: number, uid: number): Promise<void> {
  await fillWithZeros(path, 0, bytes);
  await run('mkfs.ext4', mkfsArguments(path, bytes, uid));
  await syncFile(path);
}

/** @param fromBytes  what stands before it is left alone */
async function fillWithZeros(path: string, fromBytes: number, toBytes: number): Promise<void> {
  try {
    const file = await open(path, fromBytes === 0 ? 'w' : 'r+', 0o600);
    try {
      for (let at = fromBytes; at < toBytes; ) at += (await file.write(zeros, 0, Math.min(zeros.length, toBytes - at), at)).bytesWritten;
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    // Half an end of zeros is no end.
    await (fromBytes === 0 ? rm(path, { force: true }) : truncate(path, fromBytes)).catch(() => {});
    throw toDiskError(cause, path);
  }
}

export async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** @throws TsugiteError STORE_IO when it is no image of ours */
export function readImage(path: string): ImageFacts {
  const facts = readImageHead(path);
  if (facts === undefined) throw new TsugiteError('STORE_IO', { kind: 'data-damaged', path });
  return facts;
}

/** @returns undefined when it is no image of ours */
export function readImageHead(path: string): ImageFacts | undefined {
  const head = Buffer.alloc(2_048);
  try {
    const file = openSync(path, 'r');
    try {
      readSync(file, head, 0, head.length, 0);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw toDiskError(cause, path);
  }
  return readSuperblock(head);
}

const repaired = 3; // e2fsck(8): bits of its exit status that mean "mended"

/**
 * As before every mount: what a power cut left is mended without asking. What that cannot mend is mended by force, for a household cannot be asked.
 *
 * @returns how it was mended, if it had to be  @throws TsugiteError STORE_IO (data-damaged): nothing is deleted, the software does not start
 */
export async function checkImage(path: string, { isForced = false } = {}): Promise<'preen' | 'force' | undefined> {
  const any = Array.from({ length: 16 }, (_, status) => status);
  const preen = await run('e2fsck', [...(isForced ? ['-f'] : []), '-p', path], any);
  if ((preen.status & ~repaired) === 0) return preen.status === 0 ? undefined : 'preen';
  const force = await run('e2fsck', ['-f', '-y', path], any);
  if ((force.status & ~repaired) !== 0) throw new TsugiteError('STORE_IO', { kind: 'data-damaged', path, status: force.status });
  return 'force';
}

const kibibytes = (bytes: number) => `${bytes / 1024}K`;

/**
 * A mount namespace of its own: what is mounted there is gone with the last process in it, however that ends. What the gateway unmounts is
 * unmounted there too, so that no software keeps a stick that was pulled.
 */
const inOwnMounts = ['--mount', '--propagation', 'slave', '--', 'sh', '-c'];
const mountThen = (script: string) =>
  [`set -e; image=$1; at=$2; shift 2; mount -n -t ext4 -o ${mountOptions} "$image" "$at"`, script, 'umount "$at"'].join('\n');

/** Copies a whole tree into an empty image: links as links, odd names and special files too. @throws TsugiteError DISK_FULL when it does not fit */
export async function copyIntoImage(image: string, mountPoint: string, from: { kind: 'folder' | 'image'; path: string }): Promise<void> {
  const source = `${mountPoint}.from`;
  for (const path of [mountPoint, source]) await mkdir(path, { recursive: true, mode: 0o700 });
  try {
    const open = from.kind === 'folder' ? 'mount --bind "$1" "$2"' : `mount -n -t ext4 -o ro,${mountOptions} "$1" "$2"`;
    const script = `${open}; rmdir "$at/lost+found"; cp --archive -- "$2/." "$at/"; sync -f "$at"; umount "$2"`;
    await run('unshare', [...inOwnMounts, mountThen(script), 'sh', image, mountPoint, from.path, source]);
  } finally {
    for (const path of from.kind === 'image' ? [image, from.path] : [image]) await released(path);
    for (const path of [mountPoint, source]) await rm(path, { recursive: true, force: true });
  }
  await syncFile(image);
}

/**
 * The kernel grows a mounted ext4 under its journal, so a power cut leaves the old size or the new.
 *
 * @param pid  a process that sees the mount
 * @returns false where the kernel does not let us (ext4 asks for CAP_SYS_RESOURCE, which a container may lack): nothing has changed
 */
export async function growMounted(image: string, pid: number, toBytes: number): Promise<boolean> {
  const device = await deviceOf(image);
  if (device === undefined) throw new TsugiteError('STORE_IO', { kind: 'image', at: 'losetup', path: image });
  await fillWithZeros(image, statSync(image).size, toBytes);
  await run('losetup', ['--set-capacity', device]);
  try {
    await run('nsenter', [`--mount=/proc/${pid}/ns/mnt`, '--', pathOf('resize2fs') ?? 'resize2fs', device, kibibytes(toBytes)]);
    return true;
  } catch (error) {
    if (error instanceof TsugiteError && String(error.detail.said).includes('Permission denied')) return false;
    throw error;
  }
}

async function deviceOf(image: string): Promise<string | undefined> {
  const { out } = await run('losetup', ['--noheadings', '--output', 'NAME', '--associated', image]);
  return out.trim().split('\n')[0] || undefined;
}

const releaseTimeoutMs = 10_000;
const releasePollMs = 10;

/** Until no loop device holds the image: the kernel lets go a moment after the last process that saw the mount has ended. */
export async function released(image: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < releaseTimeoutMs; waitedMs += releasePollMs) {
    if (!existsSync(image) || (await deviceOf(image)) === undefined) return;
    await delay(releasePollMs);
  }
  throw new TsugiteError('STORE_IO', { kind: 'image-in-use', path: image });
}

/** @returns why images cannot be used on this machine; undefined when they can, as a small one has just shown */
export async function findImageFault(folder: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (process.getuid?.() !== 0) return { kind: 'no-images', at: 'root' };
  const missing = missingImageTools();
  if (missing.length > 0) return { kind: 'no-images', at: missing.join(', ') };
  const [image, mountPoint] = [join(folder, 'image-probe'), join(folder, 'image-probe.at')];
  try {
    await mkdir(mountPoint, { recursive: true, mode: 0o700 });
    await rm(image, { force: true });
    const file = await open(image, 'wx', 0o600);
    await file.truncate(1024 * 1024); // holes: what is tried here wears no flash
    await file.close();
    await run('mkfs.ext4', ['-q', '-F', '-O', '^has_journal', '-E', 'nodiscard', image]);
    await run('unshare', [...inOwnMounts, mountThen(': > "$at/probe"'), 'sh', image, mountPoint]);
    return undefined;
  } catch (error) {
    return {
      kind: 'no-images',
      ...(error instanceof TsugiteError ? error.detail : { at: String(error) }),
      ...(isErrno(error, 'ENOSPC') && { at: 'space' }),
    };
  } finally {
    await released(image).catch(() => {});
    await rm(image, { force: true });
    await rm(mountPoint, { recursive: true, force: true });
  }
}

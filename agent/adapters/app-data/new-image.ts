/** An image is never changed in size where it lies: a new one takes its place once everything is in it, so that a power cut leaves one of the two. */
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { DataNews, DataWish } from '../../ports/disk.ts';
import type { Fault } from '../../rules/agent-state.ts';
import { imageBytesFor, planResize } from '../../rules/data-image.ts';
import { syncFolder, toDiskError } from '../durable-file.ts';
import { eraseTree, treeBytes } from '../erase-tree.ts';
import { checkImage, copyIntoImage, makeImage, readImage } from './image-tools.ts';

/**
 *   data.img          the app's own; mounted only in the namespace in which the app runs
 *   data.img.new      one on the way: worthless after a power cut
 *   data.img.old      what a smaller one is about to replace
 *   data.kept.img     whole copy of `data.img` as it was before an update that changes the format of the data
 *   data.copying.img  a copy on the way; `data.undone.img` what a rollback replaces: both worthless after a power cut
 *   data.at, .at.from  where images are mounted for a moment, by ourselves
 *   data              a folder from before there were images, until it was moved into one
 */
export const namesIn = (folder: string) => {
  const at = (name: string) => join(folder, name);
  return {
    image: at('data.img'),
    next: at('data.img.new'),
    old: at('data.img.old'),
    kept: at('data.kept.img'),
    copying: at('data.copying.img'),
    undone: at('data.undone.img'),
    mountPoint: at('data.at'),
    mountedFrom: at('data.at.from'),
    plain: at('data'),
  };
};
export type Names = ReturnType<typeof namesIn>;

/** Space that a copy of a tree may need beyond its own blocks: folders and the ends of files, in blocks of another size. */
const copyRoomOf = (bytes: number) => Math.ceil(bytes * 1.25) + 64 * 1024;

/** Whole or not at all. */
export async function makeWhole(folder: string, { image, next }: Names, bytes: number, uid: number): Promise<void> {
  await makeNew(next, bytes, uid);
  renameSync(next, image);
  syncFolder(folder);
}

async function makeNew(path: string, bytes: number, uid: number): Promise<void> {
  try {
    await makeImage(path, bytes, uid);
  } catch (cause) {
    await eraseTree(path);
    // What is missing is the gateway's room: the software waits for it, the gateway is not broken.
    if (cause instanceof TsugiteError && cause.code === 'DISK_FULL')
      throw new TsugiteError('STORE_NO_SPACE', noRoom(bytes).detail, { cause });
    throw cause;
  }
}

/**
 * A folder from before there were images. What is in it is kept, also when it is more than the limit says.
 *
 * @returns why it has to stay a folder for now: the gateway has no room for both
 */
export async function migrate(folder: string, names: Names, { uid, bytes }: DataWish, news: DataNews[]): Promise<Fault | undefined> {
  const usedBytes = treeBytes(names.plain);
  const imageBytes = imageBytesFor(Math.max(bytes, copyRoomOf(usedBytes)));
  try {
    await makeNew(names.next, imageBytes, uid);
  } catch (cause) {
    if (cause instanceof TsugiteError && cause.code === 'STORE_NO_SPACE') return { code: cause.code, detail: cause.detail };
    throw cause;
  }
  await copyIntoImage(names.next, names.mountPoint, { kind: 'folder', path: names.plain });
  renameSync(names.next, names.image);
  syncFolder(folder);
  await eraseTree(names.plain);
  syncFolder(folder);
  news.push({ event: 'storage.moved', detail: { bytes: usedBytes } });
  if (usedBytes > bytes) news.push(tooFull(usedBytes, bytes));
  return undefined;
}

/** Another limit than last time: a new image takes the place of the old one once everything is in it. */
export async function resize(folder: string, names: Names, { uid, bytes }: DataWish): Promise<DataNews[]> {
  const { image, next, old, plain, mountPoint } = names;
  await eraseTree(plain); // moved into the image before a power cut
  if (planResize(readImage(image), bytes).kind === 'none') return [];
  await checkImage(image, { isForced: true }); // only then are its counts to be relied on
  const { usedBytes } = readImage(image);
  const plan = planResize(readImage(image), bytes);
  if (plan.kind === 'none') return [];
  if (plan.kind === 'too-full') return [tooFull(usedBytes, bytes)];
  try {
    await makeNew(next, plan.toBytes, uid);
    await copyIntoImage(next, mountPoint, { kind: 'image', path: image });
  } catch (cause) {
    await eraseTree(next);
    if (!(cause instanceof TsugiteError)) throw toDiskError(cause, image);
    // The gateway has no room for two images, or the data take more in a smaller one: what is there serves as well.
    if (cause.code === 'STORE_NO_SPACE') return [{ event: 'storage.not_resized', fault: noRoom(plan.toBytes) }];
    if (cause.code === 'DISK_FULL') return [tooFull(usedBytes, bytes)];
    throw cause;
  }
  // Never two names of one file: what is erased afterwards must not be what is in force.
  renameSync(image, old);
  renameSync(next, image);
  syncFolder(folder);
  await eraseTree(old);
  syncFolder(folder);
  return [{ event: 'storage.resized', detail: { limit: bytes } }];
}

function tooFull(usedBytes: number, limitBytes: number): DataNews {
  return {
    event: 'storage.not_resized',
    fault: { code: 'STORE_NO_SPACE', detail: { kind: 'data-limit', actual: usedBytes, limit: limitBytes } },
  };
}

function noRoom(need: number): Fault {
  return { code: 'STORE_NO_SPACE', detail: { kind: 'data-image', need, free: 0 } };
}

/** Each app's data in an ext4 image of their own: a quota that the kernel keeps, and nothing in it that is a program, a device or a way out. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppData, DataNews } from '../../ports/disk.ts';
import { imageBytesFor, planResize } from '../../rules/data-image.ts';
import { syncFolder, toDiskError } from '../durable-file.ts';
import { eraseTree, treeBytes } from '../erase-tree.ts';
import type { DataArea } from './area.ts';
import { checkImage, growMounted, readImage, readImageHead, released, syncFile } from './image-tools.ts';
import { makeWhole, migrate, type Names, namesIn, resize } from './new-image.ts';
import { plainFolder } from './plain-folder.ts';

export const imageArea: DataArea = {
  async prepare(folder, wish) {
    const { uid, bytes } = wish;
    const names = namesIn(folder);
    await finishInterrupted(folder, names);
    const news: DataNews[] = [];
    if (existsSync(names.image)) {
      const how = await checkImage(names.image);
      if (how !== undefined) news.push({ event: 'storage.repaired', detail: { how } });
      news.push(...(await resize(folder, names, wish)));
    } else if (existsSync(names.plain)) {
      const fault = await migrate(folder, names, wish, news);
      if (fault !== undefined) return { ...(await plainFolder.prepare(folder, wish)), news: [{ event: 'storage.not_moved', fault }] };
    } else await makeWhole(folder, names, imageBytesFor(bytes), uid);
    return { data: { kind: 'image', path: names.image }, news };
  },
  usedBytes(folder) {
    const { image, plain } = namesIn(folder);
    if (!existsSync(image)) return treeBytes(plain);
    return readImageHead(image)?.usedBytes ?? 0;
  },
  bytes(folder) {
    const { image, plain } = namesIn(folder);
    return existsSync(image) ? statSync(image).size : treeBytes(plain);
  },
  roomFor: (folder, dataBytes) => (existsSync(namesIn(folder).image) ? 0 : imageBytesFor(dataBytes)),
  async keep(folder) {
    const { image, kept, copying } = namesIn(folder);
    if (existsSync(kept)) return;
    if (!existsSync(image)) return plainFolder.keep(folder);
    await released(image);
    try {
      await eraseTree(copying);
      await copyFile(image, copying);
      await syncFile(copying);
      renameSync(copying, kept);
      syncFolder(folder);
    } catch (cause) {
      await eraseTree(copying);
      throw toDiskError(cause, image);
    }
  },
  async restore(folder) {
    const { image, kept, undone, plain } = namesIn(folder);
    await released(image);
    if (existsSync(join(folder, 'data.kept'))) {
      // Set aside before there were images: what was made of the data since then is undone with them.
      await plainFolder.restore(folder);
      if (existsSync(plain)) await eraseTree(image);
      return;
    }
    if (!existsSync(kept)) return eraseTree(undone);
    try {
      // Between the two renames `data.img` is missing; `data.kept.img` still is there, so a restart comes back to here.
      if (existsSync(image)) {
        await eraseTree(undone);
        renameSync(image, undone);
      }
      renameSync(kept, image);
      syncFolder(folder);
      await eraseTree(undone);
    } catch (cause) {
      throw toDiskError(cause, image);
    }
  },
  async dropKept(folder) {
    await eraseTree(namesIn(folder).kept);
    await plainFolder.dropKept(folder);
  },
  release: (folder) => released(namesIn(folder).image),
};

/** More room for software that runs. @param pid  a process that sees the mount @returns false when it has to wait for the next start */
export async function growRunning({ kind, path }: AppData, pid: number, dataBytes: number): Promise<boolean> {
  if (kind !== 'image') return true;
  const plan = planResize(readImage(path), dataBytes);
  return plan.kind === 'grow' ? growMounted(path, pid, plan.toBytes) : true;
}

/** What a power cut left: an image that was to be replaced stands in its place again, one on the way goes. Erased, for it may hold a household's data. */
async function finishInterrupted(folder: string, { image, next, old, copying, undone, mountPoint, mountedFrom }: Names): Promise<void> {
  await released(image);
  try {
    if (existsSync(old) && !existsSync(image)) renameSync(old, image);
    syncFolder(folder);
    for (const path of [next, old, copying, undone, mountPoint, mountedFrom]) await eraseTree(path);
  } catch (cause) {
    throw toDiskError(cause, folder);
  }
}

import { existsSync, readdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type ProviderId, providerId, type SoftwareId, softwareId } from '../../protocol/fields.ts';
import type { DataNews, FolderOf, SoftwareFolders } from '../ports/disk.ts';
import type { ChosenArea } from './app-data/choose.ts';
import { imageArea } from './app-data/image.ts';
import { plainFolder } from './app-data/plain-folder.ts';
import { makeFolder, syncFolder, toDiskError } from './durable-file.ts';
import { eraseTree, treeBytes } from './erase-tree.ts';

/**
 * `<data>/software/<provider>/<name>/`:
 *
 *   current, previous   links to packages in the store
 *   data.img, or data   the app's own (app-data/image.ts, app-data/plain-folder.ts)
 *
 * @param chooseArea  how data are kept on this machine
 */
export function makeSoftwareFolders(
  dataDir: string,
  chooseArea: () => Promise<ChosenArea> = async () => ({ area: plainFolder }),
): SoftwareFolders {
  const top = join(dataDir, 'software');
  makeFolder(top);
  const folderOf = ({ provider, software }: FolderOf) => join(top, provider, software);
  /** Until it is known, the larger one is reckoned with. */
  let area = imageArea;
  let isTold = false;

  async function choose(): Promise<DataNews[]> {
    const chosen = await chooseArea();
    area = chosen.area;
    if (chosen.fault === undefined || isTold) return [];
    isTold = true;
    return [{ event: 'storage.without_images', detail: chosen.fault }];
  }

  return {
    async prepareData(of, wish) {
      const told = await choose();
      makeFolder(folderOf(of));
      const { data, news } = await area.prepare(folderOf(of), wish);
      return { data, news: [...told, ...news] };
    },
    usedDataBytes: (of) => imageArea.usedBytes(folderOf(of)),
    dataBytes: (of) => imageArea.bytes(folderOf(of)),
    roomForData: (of, bytes) => area.roomFor(folderOf(of), bytes),
    countData: ({ kind, path }) => (kind === 'folder' ? treeBytes(path) : undefined),
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
      await choose();
      return area.keep(folderOf(of));
    },
    async restoreData(of) {
      await choose();
      return area.restore(folderOf(of));
    },
    dropKeptData: (of) => imageArea.dropKept(folderOf(of)),
    async purge(of) {
      try {
        await imageArea.release(folderOf(of));
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

/** Can another uid get to a path? Read from the folders' modes, since only a process of that uid could try. */

import { realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** @returns the topmost folder that stops `uid` on the way to `path`, or undefined when it can pass */
export function closedFolder(path: string, uid: number): string | undefined {
  const folders: string[] = [];
  for (let folder = dirname(realpathSync(path)); ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (folder === '/') break;
  }
  return folders.find((folder) => !isPassable(folder, uid));
}

/** The uid has no group of its own on this machine, so the owner's and the others' bits are all that can apply. */
function isPassable(folder: string, uid: number): boolean {
  const { mode, uid: owner } = statSync(folder);
  return (mode & (owner === uid ? 0o100 : 0o001)) !== 0;
}

/** Looks over what the installer child left: a child that was captured could have written anything its uid may write. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';

export type TreeFacts = { files: number; bytes: number };

/**
 * Regular files and folders of one owner, with the two modes of a package, each under one name: no link that leads out, no device, no set-uid bit.
 *
 * @throws TsugiteError INSTALLER_FAILED with the first thing that should not be there
 */
export function inspectStagedTree(folder: string, ownerUid: number): TreeFacts {
  const facts = { files: 0, bytes: 0 };
  const refuse = (name: string, kind: string) => {
    throw new TsugiteError('INSTALLER_FAILED', { kind: 'staged-tree', fault: kind, at: name });
  };
  const walk = (relative: string) => {
    for (const name of readdirSync(join(folder, relative))) {
      const path = join(relative, name);
      const stat = lstatSync(join(folder, path));
      if (stat.uid !== ownerUid) refuse(path, 'owner');
      const mode = stat.mode & 0o7777;
      if (stat.isDirectory()) {
        if (mode !== 0o755) refuse(path, 'mode');
        walk(path);
      } else if (stat.isFile()) {
        if (mode !== 0o755 && mode !== 0o644) refuse(path, 'mode');
        if (stat.nlink !== 1) refuse(path, 'hard-link');
        facts.files += 1;
        facts.bytes += stat.size;
      } else refuse(path, 'type');
    }
  };
  walk('');
  return facts;
}

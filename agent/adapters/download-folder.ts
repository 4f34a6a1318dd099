import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digest } from '../../protocol/fields.ts';
import type { DownloadFolder } from '../ports/disk.ts';
import { makeFolder } from './durable-file.ts';

export function makeDownloadFolder(dataDir: string): DownloadFolder {
  const folder = join(dataDir, 'download');
  makeFolder(folder, 0o700);
  const files = () => readdirSync(folder);

  return {
    pathOf: (sha256) => join(folder, `${sha256}.tsg`),
    remove(sha256) {
      for (const name of files().filter((file) => file.startsWith(sha256))) rmSync(join(folder, name), { force: true });
    },
    list: () =>
      [...new Set(files().map((file) => file.slice(0, 64)))].flatMap((name) =>
        digest.safeParse(name).success ? [digest.parse(name)] : [],
      ),
  };
}

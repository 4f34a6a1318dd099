/** What an app asked the agent to keep for it: one JSON document, in a folder that the app cannot write. */

import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

export const settingsBytes = 64 * 1024;

export async function loadSettings(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '{}';
    throw error;
  }
}

let writes = 0;

/** The old document or the new, never a mix, also after a power cut (rename(2), fsync(2)). */
export async function saveSettings(path: string, body: Buffer): Promise<void> {
  writes += 1;
  const temporary = `${path}.${writes}.tmp`; // two requests at once write two files; the later rename wins
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(body);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw cause;
  }
  const folder = await open(dirname(path), 'r');
  await folder.sync();
  await folder.close();
}

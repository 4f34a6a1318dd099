/** What is costly to make and the same for every test file is made once a run, by whoever needs it first in whichever worker. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { until } from './until.ts';

const patienceMs = 60_000;

/**
 * @param name  of the folder, in the run's own
 * @param make  fills the folder; what it puts there is moved once, so it must not hold its own path
 * @returns the finished folder: to be copied or read, never to be changed
 */
export async function onceARun(name: string, make: (folder: string) => void | Promise<void>): Promise<string> {
  const made = path.join(tmpdir(), name);
  const making = `${made}.making`;
  for (; !existsSync(made); await until(() => !existsSync(making), `${name}, which another worker makes`, patienceMs)) {
    if (!isFirst(making)) continue;
    try {
      if (existsSync(made)) break; // finished by another worker between our two looks
      await make(making);
      renameSync(making, made);
    } finally {
      rmSync(making, { recursive: true, force: true });
    }
  }
  return made;
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o711 });
    return true;
  } catch {
    return false;
  }
}

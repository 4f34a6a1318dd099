import { appendFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { FolderOf } from '../ports/disk.ts';

/** Two files of this size for one app: its own flood costs the others nothing. */
const fileBytes = 64 * 1024;

/**
 * What an app prints: `<data>/software/<provider>/<name>/output.log`, beside its data, so that it goes when they go. Lines come rate-limited.
 */
export function makeAppLog(dataDir: string, nowMs: () => number) {
  return (of: FolderOf, line: { stream: string; text: string; droppedBefore: number }): void => {
    const path = join(dataDir, 'software', of.provider, of.software, 'output.log');
    try {
      if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) >= fileBytes) renameSync(path, `${path}.1`);
      appendFileSync(path, `${JSON.stringify({ time: new Date(nowMs()).toISOString(), ...line })}\n`, { mode: 0o600 });
    } catch {
      // A full disk or a folder that was just purged: an app's words are not worth the agent.
    }
  };
}

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { toDiskError } from './durable-file.ts';
import { eraseTree } from './erase-tree.ts';

/** The log tells what happened here, names targets by random ids alone, and its numbers go on without a gap; the lock is the caller's. */
const kept: ReadonlySet<string> = new Set(['log', 'agent.lock']);
/** Stores hold these folders open: emptied, not removed. */
const emptied: ReadonlySet<string> = new Set(['identity', 'trust']);

/** Everything in the data folder that belongs to one gateway's contracts: software and their data, who it was, what it was told, what it still had to say. */
export function makeHousehold(dataDir: string) {
  return {
    /** Overwrites and deletes. After a power cut the rest goes with the next call. */
    async erase(): Promise<void> {
      try {
        for (const name of readdirSync(dataDir)) {
          if (kept.has(name)) continue;
          const path = join(dataDir, name);
          for (const entry of emptied.has(name) ? readdirSync(path).map((child) => join(path, child)) : [path]) await eraseTree(entry);
        }
      } catch (cause) {
        throw toDiskError(cause, dataDir);
      }
    },
  };
}

import { chmodSync, mkdirSync } from 'node:fs';
import { toDiskError } from './durable-file.ts';

/**
 * Makes the data folder. Apps run under uids of their own and must pass through it to their own files, so it may be passed (0711), not read;
 * what is secret lies in folders of mode 0700.
 */
export function makeDataFolder(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o711 });
    chmodSync(dataDir, 0o711);
  } catch (cause) {
    throw toDiskError(cause, dataDir);
  }
}

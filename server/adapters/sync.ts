import { spawnSync } from 'node:child_process';

/** Everything written to the file system of `path` is on the disk when this returns (sync(1) --file-system): one call for thousands of files. */
export function syncFileSystem(path: string): void {
  const result = spawnSync('sync', ['--file-system', path], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`sync of ${path} failed: ${result.error?.message ?? result.stderr.trim()}`);
}

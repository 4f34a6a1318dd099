/**
 * One folder for all that a run of the tests leaves on disk, removed with everything in it at the run's end: a test that fails, or a worker that
 * is ended before its `afterAll`, leaves nothing behind. What a killed run left is removed by the next one.
 */
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const pattern = /^tsugite-run-(\d+)-/;

export default function makeRunFolder(): () => void {
  const above = tmpdir();
  if (pattern.test(path.basename(above))) return () => {}; // another part of the same run has made it
  removeAbandoned(above);
  const folder = mkdtempSync(path.join(above, `tsugite-run-${process.pid}-`));
  chmodSync(folder, 0o711); // apps, installers and PostgreSQL pass through under their own uids
  process.env.TMPDIR = folder; // where every mkdtemp of ours, of the workers and of the programs under test goes from now on
  return () => {
    process.env.TMPDIR = above;
    rmSync(besideLibraries(folder), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); // a process that was just ended may still write its last line
  };
}

/** The run's folder inside node_modules, for a program whose libraries are not bundled with it. */
export function besideLibraries(run = tmpdir()): string {
  return path.resolve('node_modules', `.${path.basename(run)}`);
}

function removeAbandoned(above: string): void {
  for (const name of readdirSync(above)) {
    const owner = pattern.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) rmSync(path.join(above, name), { recursive: true, force: true });
  }
}

/**
 * Builds every program into dist/. Run it by `npm run build`; `scripts/setup` does so when a source is newer than the last build.
 *
 * One folder a program, flat: whatever a program loads beside itself (installer child, broker worker) lies next to its main.js, so
 * `new URL('./installer.js', import.meta.url)` holds in every file of the bundle.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { type Program, programs } from './support/programs.ts';
import { outputsAtStart } from './support/start-files.ts';

/** Replaces a file only when its content differs: a program that is running keeps its files through a build that changes nothing. */
function place(file: string, bytes: Uint8Array, mode: number): void {
  if (existsSync(file) && readFileSync(file).equals(bytes)) return;
  const fresh = `${file}.new-${process.pid}`;
  writeFileSync(fresh, bytes);
  chmodSync(fresh, mode); // not what the umask leaves: the sandboxed children are another user
  renameSync(fresh, file);
}

function removeStale(folder: string, isOurs: (file: string) => boolean): void {
  for (const name of readdirSync(folder)) {
    const file = path.resolve(folder, name);
    if (!isOurs(file) && !name.includes('.new-')) rmSync(file, { recursive: true });
  }
}

const shebang = Buffer.from('#!/usr/bin/env node\n');

/** @returns what to say about it, a line each */
async function buildProgram({ name, entries, isCommand, options }: Program): Promise<string[]> {
  const outdir = path.join('dist', name);
  const { outputFiles, metafile } = await build({
    ...options,
    write: false,
    metafile: true,
    entryPoints: { ...entries },
    outdir,
  });

  mkdirSync(outdir, { recursive: true });
  for (const { path: file, contents } of outputFiles) {
    const isMain = isCommand && path.basename(file) === 'main.js';
    place(file, isMain ? Buffer.concat([shebang, contents]) : contents, isMain ? 0o755 : 0o644);
  }
  const isOurs = new Set(outputFiles.map((file) => file.path).concat(path.resolve('dist/scripts/build.js')));
  removeStale(outdir, (file) => isOurs.has(file));

  const bytesOf = (files: readonly string[]): number => files.reduce((sum, file) => sum + (metafile.outputs[file]?.bytes ?? 0), 0);
  const programFiles = Object.keys(metafile.outputs).filter((file) => file.endsWith('.js'));
  const line = (what: string, files: readonly string[]): string =>
    `${what.padEnd(28)} ${(bytesOf(files) / 1000).toFixed(1).padStart(8)} kB`;
  const atStart = (entry: string): string => line(`  ${entry}.js at start`, outputsAtStart(metafile.outputs, `dist/${name}/${entry}.js`));
  return [line(`dist/${name}/`, programFiles), ...(isCommand ? Object.keys(entries).map(atStart) : [])];
}

let failed = false;
mkdirSync('dist', { recursive: true });
const startedAt = new Date();
for (const program of programs) {
  try {
    for (const line of await buildProgram(program)) process.stdout.write(`${line}\n`);
  } catch (error) {
    failed = true;
    process.stderr.write(`${program.name}: ${error instanceof Error ? error.message : String(error)}\n`);
  }
}
if (!failed) {
  // Dated by the start of the build: a file that was saved while it ran counts as newer, and is built next time.
  writeFileSync('dist/.built', '');
  utimesSync('dist/.built', startedAt, startedAt);
}
process.exitCode = failed ? 1 : 0;

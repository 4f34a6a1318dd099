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

/** Replaces a file only when its content differs: a program that is running keeps its files through a build that changes nothing. */
function place(file: string, bytes: Uint8Array, mode: number): void {
  if (existsSync(file) && readFileSync(file).equals(bytes)) return;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, bytes);
  chmodSync(`${file}.new`, mode);
  renameSync(`${file}.new`, file);
}

const shebang = Buffer.from('#!/usr/bin/env node\n');

async function buildProgram({ name, entries, isCommand, options }: Program): Promise<{ bytes: number; missing: string[] }> {
  const present = Object.entries(entries).filter(([, source]) => existsSync(source));
  const missing = Object.values(entries).filter((source) => !existsSync(source));
  const outdir = path.join('dist', name);
  const result = present.length === 0 ? undefined : await build({ ...options, entryPoints: Object.fromEntries(present), outdir });

  const outputs = new Map<string, Uint8Array>();
  for (const file of result?.outputFiles ?? []) {
    const isMain = isCommand && path.relative(outdir, file.path) === 'main.js';
    const hasShebang = Buffer.from(file.contents.subarray(0, 2)).toString('latin1') === '#!';
    outputs.set(path.resolve(file.path), isMain && !hasShebang ? Buffer.concat([shebang, file.contents]) : file.contents);
  }
  for (const [file, bytes] of outputs) place(file, bytes, path.basename(file) === 'main.js' ? 0o755 : 0o644);
  if (existsSync(outdir))
    for (const stale of readdirSync(outdir)) {
      const file = path.resolve(outdir, stale);
      if (!outputs.has(file) && !(name === 'scripts' && stale === 'build.js')) rmSync(file, { recursive: true });
    }
  const bytes = [...outputs].filter(([file]) => file.endsWith('.js')).reduce((sum, [, content]) => sum + content.byteLength, 0);
  return { bytes, missing };
}

let failed = false;
mkdirSync('dist', { recursive: true });
const startedAt = new Date();
for (const program of programs) {
  try {
    const { bytes, missing } = await buildProgram(program);
    process.stdout.write(`${program.name.padEnd(9)} ${(bytes / 1000).toFixed(1).padStart(8)} kB\n`);
    for (const source of missing) process.stdout.write(`          ${source} is not there: not built\n`);
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

/** How much code the agent loads: asked of V8 in a run of its own, for the build alone does not tell which chunks wait for their use. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { repository } from '../story/programs.ts';

export type Bundle = {
  readonly loadedBytes: number;
  readonly loadedFiles: number;
  readonly builtBytes: number;
  readonly builtFiles: number;
};

const builtFolder = path.join(repository, 'dist/agent');

/** @param run  starts one agent and ends it as a service manager would: V8 writes what it had loaded when the process ends */
export async function measureBundle(run: () => Promise<void>): Promise<Bundle> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bench-coverage-'));
  process.env.NODE_V8_COVERAGE = folder; // inherited by the agent; this process read it at its own start
  try {
    await run();
  } finally {
    delete process.env.NODE_V8_COVERAGE;
  }
  const loaded = new Set(readdirSync(folder).flatMap((name) => ourFiles(path.join(folder, name))));
  rmSync(folder, { recursive: true });
  if (!loaded.has(path.join(builtFolder, 'main.js'))) throw new Error('V8 has not told what the agent loaded');
  const built = readdirSync(builtFolder)
    .filter((name) => name.endsWith('js'))
    .map((name) => path.join(builtFolder, name));
  return { loadedBytes: bytesOf([...loaded]), loadedFiles: loaded.size, builtBytes: bytesOf(built), builtFiles: built.length };
}

/** Of the scripts that one process had loaded (Chrome DevTools Protocol, Profiler.ScriptCoverage). */
function ourFiles(coverageFile: string): string[] {
  const { result } = JSON.parse(readFileSync(coverageFile, 'utf8')) as { result: { url: string }[] };
  return result
    .filter(({ url }) => url.startsWith('file:'))
    .map(({ url }) => fileURLToPath(url))
    .filter((file) => path.dirname(file) === builtFolder);
}

function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}

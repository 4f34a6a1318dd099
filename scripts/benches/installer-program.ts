/** The installer child as it is delivered, but for one number: a package of 24.9 MB is more than a gateway may hold, installed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { programs } from '../support/programs.ts';

const theLimit = /installedBytes: 7_500_000,/;

/** @returns what `makeInstaller` wants as its program */
export async function buildInstaller(repository: string, dir: string): Promise<{ dir: string; file: string }> {
  const agent = programs.find(({ name }) => name === 'agent');
  if (agent === undefined) throw new Error('scripts/support/programs.ts has no agent');
  await build({
    ...agent.options,
    absWorkingDir: repository,
    entryPoints: { installer: agent.entries.installer ?? '' },
    outdir: dir,
    plugins: [liftLimit],
  });
  return { dir, file: 'installer.js' };
}

const liftLimit: Plugin = {
  name: 'lift-limit',
  setup({ onLoad }) {
    onLoad({ filter: /\/protocol\/limits\.ts$/ }, ({ path: file }) => {
      const source = readFileSync(file, 'utf8');
      if (!theLimit.test(source)) throw new Error(`${path.basename(file)} does not hold the limit that is to be lifted`);
      return { contents: source.replace(theLimit, 'installedBytes: Number.MAX_SAFE_INTEGER,'), loader: 'ts' };
    });
  },
};

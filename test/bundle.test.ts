import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../scripts/support/programs.ts';

const agent = programs.find(({ name }) => name === 'agent');
if (agent === undefined) throw new Error('no agent in scripts/support/programs.ts');

/** The source files in `output` and in every chunk that it loads at start, but not in those that wait for an import(). */
function loadedAtStart({ outputs }: Metafile, output: string, seen = new Set<string>()): string[] {
  if (seen.has(output)) return [];
  seen.add(output);
  const found = outputs[output];
  if (found === undefined) throw new Error(`${output} was not built`);
  const chunks = found.imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true);
  return [...Object.keys(found.inputs), ...chunks.flatMap((chunk) => loadedAtStart({ inputs: {}, outputs }, chunk.path, seen))];
}

describe('the bundle of the agent', () => {
  let metafile: Metafile;
  beforeAll(async () => {
    ({ metafile } = await build({ ...agent.options, metafile: true, entryPoints: { ...agent.entries }, outdir: 'dist/agent' }));
  });

  test.each(['node-forge', 'tar', 'zod/v4/classic', 'commander'])('an idle agent has not loaded %s', (library) => {
    const files = loadedAtStart(metafile, 'dist/agent/main.js');
    expect(files.filter((file) => file.startsWith(`node_modules/${library}/`))).toEqual([]);
  });

  test('there is neither a WebSocket nor a SOCKS library in it', () => {
    expect(Object.keys(metafile.inputs).filter((file) => /^node_modules\/(ws|socks)\//.test(file))).toEqual([]);
  });
});

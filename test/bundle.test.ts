import { build, type Metafile } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../scripts/support/programs.ts';
import { outputsAtStart } from '../scripts/support/start-files.ts';

const agent = programs.find(({ name }) => name === 'agent');
if (agent === undefined) throw new Error('no agent in scripts/support/programs.ts');

describe('the bundle of the agent', () => {
  let metafile: Metafile;
  beforeAll(async () => {
    ({ metafile } = await build({ ...agent.options, metafile: true, entryPoints: { ...agent.entries }, outdir: 'dist/agent' }));
  });

  test.each(['node-forge', 'tar', 'zod/v4/classic', 'commander'])('an idle agent has not loaded %s', (library) => {
    const files = outputsAtStart(metafile.outputs, 'dist/agent/main.js').flatMap((output) =>
      Object.keys(metafile.outputs[output]?.inputs ?? {}),
    );
    expect(files.filter((file) => file.startsWith(`node_modules/${library}/`))).toEqual([]);
  });

  test('there is neither a WebSocket nor a SOCKS library in it', () => {
    expect(Object.keys(metafile.inputs).filter((file) => /^node_modules\/(ws|socks)\//.test(file))).toEqual([]);
  });
});

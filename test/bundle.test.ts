import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../scripts/support/programs.ts';
import { outputsAtStart } from '../scripts/support/start-files.ts';

const agent = programs.find(({ name }) => name === 'agent');
if (agent === undefined) throw new Error('no agent in scripts/support/programs.ts');

describe('the bundle of the agent', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bundle-'));
  let outputs: Metafile['outputs'];
  beforeAll(async () => {
    const { metafile } = await build({ ...agent.options, write: true, metafile: true, entryPoints: { ...agent.entries }, outdir: folder });
    outputs = metafile.outputs;
  }, 30_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const outputOf = (source: string): string => Object.keys(outputs).find((output) => outputs[output]?.entryPoint === source) ?? source;

  test.each(['node-forge', 'tar', 'zod/v4/classic', 'commander', 'readable-stream', 'ws', 'socks', 'debug'])(
    'an idle agent has not loaded %s',
    (library) => {
      const loaded = ['agent/main.ts', 'agent/compose.ts'].flatMap((source) => outputsAtStart(outputs, outputOf(source)));
      const sources = loaded.flatMap((output) => Object.keys(outputs[output]?.inputs ?? {}));
      expect(sources).toContain('agent/compose.ts');
      expect(sources.filter((source) => source.includes(`node_modules/${library}/`))).toEqual([]);
    },
  );

  test('every part that waits for its use loads', () => {
    const isProgram = (output: string): boolean => Object.keys(agent.entries).some((entry) => path.basename(output) === `${entry}.js`);
    const lazy = Object.keys(outputs).filter((output) => outputs[output]?.entryPoint !== undefined && !isProgram(output));
    expect(lazy.length).toBeGreaterThan(0);
    const imports = lazy.map((output) => `await import(${JSON.stringify(path.resolve(output))});`).join('\n');
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', imports], { encoding: 'utf8' });
    expect({ status, stderr: stderr.slice(-500) }).toEqual({ status: 0, stderr: '' });
  });

  test('the program starts', () => {
    const { status, stdout } = spawnSync(process.execPath, [path.join(folder, 'main.js'), '--help'], { encoding: 'utf8' });
    expect(stdout).toContain('tsugite-agent');
    expect(status).toBe(0);
  });
});

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { makeGatewayNamespace, makeWanNamespace, namespacePath, removeNamespace } from '../../../provider/emulator/namespaces.ts';
import type { Held } from '../../support/cycling-agent.ts';

const cycles = 200;

test(`after ${cycles} installations and removals nothing more is held than after one`, { timeout: 400_000 }, async () => {
  const outfile = join(tmpdir(), 'tsugite-cycling.mjs');
  await build({
    entryPoints: ['test/support/cycling-agent.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  const wan = await makeWanNamespace();
  const gateway = await makeGatewayNamespace(wan, 'cycles', 2);
  onTestFinished(() => {
    for (const name of [gateway, wan]) removeNamespace(name);
    rmSync(outfile);
  });

  const command = [`--net=${namespacePath(gateway)}`, '--', process.execPath, outfile, String(cycles)];
  const { stdout } = await promisify(execFile)('nsenter', command, { maxBuffer: 16_000_000 });
  const { before, after, left } = JSON.parse(stdout) as { before: Held; after: Held; left: string[] };

  expect(after).toEqual(before);
  expect(after).toMatchObject({
    children: [],
    controlGroups: [],
    mountsAndLoops: [],
    portsAndTables: [],
    networkNamespaces: 0,
    uids: [20_001],
  });
  expect(after.files.filter((path) => /software\/.|store\/.|staging\/.|run\/2/.test(path))).toEqual([]);
  expect(left).toEqual([]);
});

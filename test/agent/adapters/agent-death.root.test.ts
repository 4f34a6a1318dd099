import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readdirSync, readlinkSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { mountsAndLoops } from '../../support/leftovers.ts';

const outfile = join(tmpdir(), 'tsugite-holder.mjs');
beforeAll(async () => {
  await build({
    entryPoints: ['test/support/sandbox-holder.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
});
afterAll(() => rmSync(outfile));

test('when the agent is killed, its apps end with it: nothing runs that nobody watches, and no image stays mounted', async () => {
  const { agent, appPid } = await anAgent([]);
  expect(existsSync(`/proc/${appPid}`)).toBe(true);
  expect(mountsAndLoops()).toEqual([expect.stringMatching(/^loop .*data.img$/)]); // one loop device, and no mount that the gateway could see
  agent.kill('SIGKILL');
  await expect.poll(() => existsSync(`/proc/${appPid}`), { timeout: 5_000 }).toBe(false);
  await expect.poll(mountsAndLoops, { timeout: 5_000 }).toEqual([]);
});

test('a file that the agent inherited from who started it does not reach an app', async () => {
  const secret = join(tmpdir(), 'tsugite-secret');
  writeFileSync(secret, 'secret');
  onTestFinished(() => rmSync(secret));
  // Node makes the first sixteen descriptors close-on-exec at its start; a shell's own stand higher.
  const { agent, appPid } = await anAgent([...Array(37).fill('ignore'), openSync(secret, 'r')]);
  expect(openFiles(agent.pid)).not.toContain(secret); // closed before the first app started
  expect(openFiles(appPid)).not.toContain(secret);
});

/** @param more  its descriptors from 3 on */
async function anAgent(more: readonly ('ignore' | number)[]): Promise<{ agent: ChildProcess; appPid: number }> {
  const agent = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit', ...more] });
  onTestFinished(() => {
    agent.kill('SIGKILL');
    for (const root of ['memory', 'pids', 'cpu']) removeGroups(`/sys/fs/cgroup/${root}`, `tsugite-test-${agent.pid}-`);
  });
  const appPid = await new Promise<number>((resolve) => agent.stdout?.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
  return { agent, appPid };
}

function openFiles(pid: number | undefined): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      return [];
    }
  });
}

function removeGroups(root: string, prefix: string): void {
  for (const parent of readdirSync(root).filter((name) => name.startsWith(prefix))) {
    for (const child of readdirSync(`${root}/${parent}`, { withFileTypes: true })) {
      if (child.isDirectory()) rmdirUntilEmpty(`${root}/${parent}/${child.name}`);
    }
    rmdirUntilEmpty(`${root}/${parent}`);
  }
}

/** Its last process may still be on its way out. */
function rmdirUntilEmpty(folder: string): void {
  for (let tries = 0; tries < 100; tries++) {
    try {
      rmdirSync(folder);
      return;
    } catch {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

import { spawn } from 'node:child_process';
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

test('when the agent is killed, its apps end with it: nothing runs that nobody watches', async () => {
  const outfile = `/tmp/tsugite-holder-${process.pid}.mjs`;
  await build({
    entryPoints: ['test/support/sandbox-holder.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'error',
  });
  const agent = spawn(process.execPath, [outfile], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const pid = await new Promise<number>((resolve) => agent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString()))));
    expect(existsSync(`/proc/${pid}`)).toBe(true);
    agent.kill('SIGKILL');
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5_000 }).toBe(false);
  } finally {
    agent.kill('SIGKILL');
    rmSync(outfile, { force: true });
    for (const root of ['memory', 'pids', 'cpu']) removeGroups(`/sys/fs/cgroup/${root}`, `tsugite-test-${agent.pid}-`);
    for (const name of readdirSync('/tmp')) if (name.startsWith('tsugite-bench-')) rmSync(`/tmp/${name}`, { recursive: true, force: true });
  }
});

function removeGroups(root: string, prefix: string): void {
  for (const parent of readdirSync(root).filter((name) => name.startsWith(prefix))) {
    for (const child of readdirSync(`${root}/${parent}`, { withFileTypes: true }))
      if (child.isDirectory()) rmdirSync(`${root}/${parent}/${child.name}`);
    rmdirSync(`${root}/${parent}`);
  }
}

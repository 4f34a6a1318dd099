import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openCgroups } from '../../../../agent/adapters/sandbox/cgroup.ts';

/** A fake tree: plain files where the kernel has its own. It proves names, values and order; the root tests prove the effect. */
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const limits = { memoryBytes: 67_108_864, cpuPercent: 50, pids: 34, files: 256, fileBytes: 1 };
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');

test('cgroup v2: the controllers are handed down to our folder, limits stand before a process joins', () => {
  const cgroups = openCgroups('tsugite-g', { version: 'v2', at: { memory: root, pids: root, cpu: root } });
  const cgroup = cgroups?.make('app-1', limits);
  cgroup?.join(4711);

  expect(read('cgroup.subtree_control')).toBe('+memory +pids +cpu');
  expect(read('tsugite-g', 'cgroup.subtree_control')).toBe('+memory +pids +cpu');
  expect(read('tsugite-g', 'app-1', 'memory.max')).toBe('67108864');
  expect(read('tsugite-g', 'app-1', 'cpu.max')).toBe('50000 100000');
  expect(read('tsugite-g', 'app-1', 'pids.max')).toBe('34');
  expect(read('tsugite-g', 'app-1', 'cgroup.procs')).toBe('4711');
  expect(cgroup?.pids()).toEqual([4711]);
});

test('cgroup v2: the whole group is killed by one write, and what still stands after the time limit is named', async () => {
  const cgroups = openCgroups('tsugite-g', { version: 'v2', at: { memory: root, pids: root, cpu: root } });
  const cgroup = cgroups?.make('app-1', limits);
  const unusedPid = 0x7ffffff0;
  writeFileSync(join(root, 'tsugite-g', 'app-1', 'cgroup.procs'), `${unusedPid}\n`);

  expect(await cgroup?.destroy(10)).toEqual([unusedPid]);
  expect(read('tsugite-g', 'app-1', 'cgroup.kill')).toBe('1');
});

test('cgroup v1: a process joins all three controllers', () => {
  const at = { memory: join(root, 'memory'), pids: join(root, 'pids'), cpu: join(root, 'cpu') };
  openCgroups('tsugite-g', { version: 'v1', at })?.make('app-1', limits).join(4711);

  for (const controller of ['memory', 'pids', 'cpu']) expect(read(controller, 'tsugite-g', 'app-1', 'cgroup.procs')).toBe('4711');
  expect(read('memory', 'tsugite-g', 'app-1', 'memory.limit_in_bytes')).toBe('67108864');
  expect(read('cpu', 'tsugite-g', 'app-1', 'cpu.cfs_quota_us')).toBe('50000');
});

test('what an earlier agent left is found by name', () => {
  mkdirSync(join(root, 'tsugite-g', 'app-9'), { recursive: true });
  const cgroups = openCgroups('tsugite-g', { version: 'v2', at: { memory: root, pids: root, cpu: root } });
  expect(cgroups?.leftovers().map(({ name }) => name)).toEqual(['app-9']);
});

test('a control group tree that cannot be written is no tree at all', () => {
  const file = join(root, 'read-only');
  writeFileSync(file, '');
  expect(openCgroups('tsugite-g', { version: 'v2', at: { memory: file, pids: file, cpu: file } })).toBeUndefined();
});

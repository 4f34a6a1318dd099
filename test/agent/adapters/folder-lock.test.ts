import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { isLocked, makeFolderLock } from '../../../agent/adapters/folder-lock.ts';

let dataDir: string;
beforeEach(() => {
  // Deeper than the 107 bytes that a socket path may have.
  dataDir = join(mkdtempSync(join(tmpdir(), 'lock-')), 'x'.repeat(120));
  mkdirSync(dataDir);
});
afterEach(() => rmSync(dataDir, { recursive: true }));

test('a second agent is kept out of the folder until the first lets go', async () => {
  const first = makeFolderLock(dataDir);
  await first.take();
  expect(await isLocked(dataDir)).toBe(true);
  await expect(makeFolderLock(dataDir).take()).rejects.toThrowError(/ALREADY_RUNNING/);
  expect(await isLocked(dataDir)).toBe(true);
  first.release();
  expect(await isLocked(dataDir)).toBe(false);
  await makeFolderLock(dataDir).take();
});

test('a lock whose agent was killed holds nobody up', async () => {
  const killed = `const s=require('net').createServer().listen('agent.lock',()=>process.kill(process.pid,'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', killed], { cwd: dataDir });
  expect(existsSync(join(dataDir, 'agent.lock'))).toBe(true);
  expect(await isLocked(dataDir)).toBe(false);
  const lock = makeFolderLock(dataDir);
  await lock.take();
  expect(await isLocked(dataDir)).toBe(true);
  lock.release();
});

test('of many that start at once exactly one gets it', async () => {
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => makeFolderLock(dataDir).take()));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a folder that is not there is not locked', async () => {
  expect(await isLocked(join(dataDir, 'nothing'))).toBe(false);
});

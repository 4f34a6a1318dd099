import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePartFiles } from '../../../agent/adapters/part-files.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tsugite-full', folder]);
});
afterEach(() => {
  execFileSync('umount', [folder]);
  rmdirSync(folder);
});

test('a really full disk is E305 with what is free, and removing the part gives the space back', async () => {
  const parts = makePartFiles();
  const file = path.join(folder, 'package.tsg');
  const part = await parts.open(file);
  const fill = async () => {
    for (;;) await part.append(Buffer.alloc(64 * 1024, 'x'));
  };
  await expect(fill()).rejects.toMatchObject({ code: 'STORE_NO_SPACE', number: 'E305', detail: { need: 65_536, free: 0 } });
  await part.close();
  parts.remove(file);
  expect(readdirSync(folder)).toEqual([]);
  const { bavail, blocks } = statfsSync(folder);
  expect(bavail).toBe(blocks);
});

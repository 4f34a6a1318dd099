import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lockDataFolder } from '../../../server/adapters/data-lock.ts';

const aPlace = () => path.join(mkdtempSync(path.join(tmpdir(), 'tsugite-lock-')), 'server.pid');

test('a folder has one server, until it lets go', () => {
  const place = aPlace();
  const lock = lockDataFolder(place, '/data');
  expect(() => lockDataFolder(place, '/data')).toThrow(
    expect.objectContaining({ code: 'ALREADY_RUNNING', detail: { path: '/data', pid: process.pid } }),
  );
  lock.release();
  expect(existsSync(place)).toBe(false);
  lockDataFolder(place, '/data').release();
});

test('a lock of a process that is gone, or whose pid another one has now, is taken over', () => {
  for (const left of ['999999999 1', `${process.pid} 1`, '', 'nonsense']) {
    const place = aPlace();
    writeFileSync(place, left);
    lockDataFolder(place, '/data');
    expect(readFileSync(place, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\\n$`));
  }
});

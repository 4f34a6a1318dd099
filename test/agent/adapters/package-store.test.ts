import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePackageStore } from '../../../agent/adapters/package-store.ts';
import { systemRandom as random } from '../../../agent/adapters/random.ts';
import { digestOfText } from '../../support/mint.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'store-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const sha256 = digestOfText('a package');
const open = () => makePackageStore(dataDir, { random, ownerUid: undefined });
const stage = (store: ReturnType<typeof open>) => {
  const folder = store.newStagingDir();
  writeFileSync(join(folder, 'main.js'), '1');
  return folder;
};

test('staging is a new empty folder each time, for its owner alone', () => {
  const [one, two] = [open().newStagingDir(), open().newStagingDir()];
  expect(one).not.toBe(two);
  expect(readdirSync(one)).toEqual([]);
  expect(statSync(one).mode & 0o777).toBe(0o700);
});

test('a staged tree becomes a package in one step, and can be read by others', async () => {
  const store = open();
  await store.promote(stage(store), sha256);
  expect(store.has(sha256)).toBe(true);
  expect(store.list()).toEqual([sha256]);
  expect(statSync(store.pathOf(sha256)).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(dataDir, 'staging'))).toEqual([]);
});

test('doing it again changes nothing and leaves no staging', async () => {
  const store = open();
  await store.promote(stage(store), sha256);
  await store.promote(stage(store), sha256);
  expect(readdirSync(store.pathOf(sha256))).toEqual(['main.js']);
  expect(readdirSync(join(dataDir, 'staging'))).toEqual([]);
});

test('a removed package is out of the store at once, and what a power cut left of it is swept', async () => {
  const store = open();
  await store.promote(stage(store), sha256);
  await store.remove(sha256);
  expect(store.list()).toEqual([]);
  mkdirSync(join(dataDir, 'staging', 'removed-half'));
  open().sweepStaging();
  expect(readdirSync(join(dataDir, 'staging'))).toEqual([]);
});

test('what is not named by a digest is no package', () => {
  const store = open();
  mkdirSync(join(dataDir, 'store', 'lost+found'));
  expect(store.list()).toEqual([]);
  expect(existsSync(join(dataDir, 'store', 'lost+found'))).toBe(true);
});

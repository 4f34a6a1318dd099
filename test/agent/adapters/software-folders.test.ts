import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeSoftwareFolders } from '../../../agent/adapters/software-folders.ts';
import { digestOfText } from '../../support/mint.ts';

let dataDir: string;
let data: string;
const of = { software: 'heater.acme', provider: 'acme' } as never;
const folder = () => join(dataDir, 'software', 'acme', 'heater.acme');
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'folders-'));
  data = (await makeSoftwareFolders(dataDir).prepareData(of, { uid: process.getuid?.() ?? 0, bytes: 65_536 })).data.path;
  writeFileSync(join(data, 'note'), 'as it was');
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const folders = () => makeSoftwareFolders(dataDir);

test('a link names the package of the store, is replaced, and taken away', () => {
  const sha256 = digestOfText('a');
  folders().point(of, 'current', sha256);
  folders().point(of, 'current', sha256);
  expect(readlinkSync(join(folder(), 'current'))).toBe(`../../../store/${sha256}`);
  folders().point(of, 'current', null);
  expect(existsSync(join(folder(), 'current'))).toBe(false);
});

test('kept data are given back as they were', async () => {
  await folders().keepData(of);
  writeFileSync(join(data, 'note'), 'changed');
  writeFileSync(join(data, 'new'), '');
  await folders().restoreData(of);
  expect(readdirSync(data)).toEqual(['note']);
  expect(readFileSync(join(data, 'note'), 'utf8')).toBe('as it was');
  expect(readdirSync(folder())).toEqual(['data']);
});

test('a copy that a power cut left half-made is made anew, a whole one is not touched', async () => {
  mkdirSync(join(folder(), 'data.copying'));
  writeFileSync(join(folder(), 'data.copying', 'half'), '');
  await folders().keepData(of);
  expect(readdirSync(join(folder(), 'data.kept'))).toEqual(['note']);
  writeFileSync(join(data, 'note'), 'changed');
  await folders().keepData(of);
  expect(readFileSync(join(folder(), 'data.kept', 'note'), 'utf8')).toBe('as it was');
});

test('a restore that a power cut stopped between its two renames is done to its end', async () => {
  await folders().keepData(of);
  execFileSync('mv', [data, join(folder(), 'data.undone')]);
  await folders().restoreData(of);
  await folders().restoreData(of);
  expect(readFileSync(join(data, 'note'), 'utf8')).toBe('as it was');
  expect(readdirSync(folder())).toEqual(['data']);
});

test('without a copy a restore changes nothing', async () => {
  await folders().restoreData(of);
  expect(readFileSync(join(data, 'note'), 'utf8')).toBe('as it was');
});

test('a purge overwrites before it deletes, and takes the folder of a provider without software with it', async () => {
  const witness = join(dataDir, 'witness');
  linkSync(join(data, 'note'), witness);
  await folders().purge(of);
  expect(readFileSync(witness).equals(Buffer.alloc('as it was'.length))).toBe(true);
  expect(readdirSync(join(dataDir, 'software'))).toEqual([]);
});

test('a purge follows no link out of the folder', async () => {
  writeFileSync(join(dataDir, 'outside'), 'not theirs');
  symlinkSync(join(dataDir, 'outside'), join(data, 'link'));
  symlinkSync(dataDir, join(data, 'folder'));
  await folders().purge(of);
  expect(readFileSync(join(dataDir, 'outside'), 'utf8')).toBe('not theirs');
});

test('a purge finds what no path can name: any depth, names that are no text, pipes, sockets and holes', async () => {
  const witness = join(dataDir, 'witness');
  // A chain of folders longer than PATH_MAX, with a file at its end.
  execFileSync('sh', [
    '-c',
    'cd "$1" && for i in $(seq 1500); do mkdir d && cd -P d || exit 1; done && echo secret > end && ln end "$2"',
    'sh',
    data,
    witness,
  ]);
  writeFileSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0xff, 0x61])]), 'secret');
  linkSync(Buffer.concat([Buffer.from(`${data}/`), Buffer.from([0xff, 0x61])]), `${witness}2`);
  execFileSync('mkfifo', [join(data, 'pipe')]);
  execFileSync('truncate', ['-s', '1T', join(data, 'hole')]);
  await folders().purge(of);
  expect(readFileSync(witness).every((byte) => byte === 0)).toBe(true);
  expect(readFileSync(`${witness}2`).every((byte) => byte === 0)).toBe(true);
  expect(readdirSync(join(dataDir, 'software'))).toEqual([]);
});

test('what is too deep to be counted counts as more than any limit', () => {
  execFileSync('sh', ['-c', 'cd "$1" && for i in $(seq 100); do mkdir d && cd d || exit 1; done', 'sh', data]);
  expect(folders().dataBytes(of)).toBe(Number.MAX_SAFE_INTEGER);
});

test('the count follows no link', () => {
  symlinkSync('/usr', join(data, 'link'));
  expect(folders().dataBytes(of)).toBeLessThan(100_000);
});

test('an image that this machine cannot mount is never taken for software without data', async () => {
  rmSync(data, { recursive: true });
  writeFileSync(join(folder(), 'data.img'), 'x');
  await expect(folders().prepareData(of, { uid: 0, bytes: 65_536 })).rejects.toThrowError(/E502/);
});

test('a purge of what is not there is done', async () => {
  await folders().purge(of);
  await folders().purge(of);
});

test('the size of the data is what they take on the disk', () => {
  writeFileSync(join(data, 'big'), Buffer.alloc(100_000));
  expect(folders().dataBytes(of)).toBeGreaterThanOrEqual(100_000);
  expect(folders().list()).toEqual([of]);
});

import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile, toDiskError } from '../../../agent/adapters/durable-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'durable-'));
});
afterEach(() => {
  chmodSync(folder, 0o700);
  rmSync(folder, { recursive: true });
});

test('a file is replaced as a whole, for its owner alone', () => {
  const path = join(folder, 'a');
  replaceFile(path, 'one');
  replaceFile(path, 'two');
  expect(readFileSync(path, 'utf8')).toBe('two');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['a']);
});

test('what a power cut left of an earlier try is replaced, not continued', () => {
  const path = join(folder, 'a');
  writeFileSync(`${path}.new`, 'half of something longer');
  replaceFile(path, 'one');
  expect(readFileSync(path, 'utf8')).toBe('one');
});

test('a save that fails says so with a code, and leaves what was there and nothing beside it', () => {
  const path = join(folder, 'a');
  mkdirSync(path);
  expect(() => replaceFile(path, 'two')).toThrowError(/STORE_IO/);
  expect(() => replaceFile(join(folder, 'missing', 'a'), 'two')).toThrowError(/STORE_IO/);
  expect(readdirSync(folder)).toEqual(['a']);
});

test('a folder in the way of the temporary file stops nothing', () => {
  const path = join(folder, 'a');
  mkdirSync(join(`${path}.new`, 'deep'), { recursive: true });
  replaceFile(path, 'one');
  expect(readFileSync(path, 'utf8')).toBe('one');
});

test('a full disk and a broken one are two codes, since their remedies differ', () => {
  const failing = (code: string) => toDiskError(Object.assign(new Error(code), { code }), '/x').code;
  expect([failing('ENOSPC'), failing('EDQUOT'), failing('EIO'), failing('EROFS')]).toEqual([
    'DISK_FULL',
    'DISK_FULL',
    'STORE_IO',
    'STORE_IO',
  ]);
});

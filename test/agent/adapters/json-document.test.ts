import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeJsonDocument } from '../../../agent/adapters/json-document.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'json-document-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

type Value = { v: 1; text: string };
const damages: string[] = [];
const path = () => join(folder, 'state.json');
const open = () =>
  makeJsonDocument<Value>(
    path(),
    (value) => {
      if (typeof value !== 'object' || value === null || !('text' in value)) throw new Error('no text');
      return value as Value;
    },
    { onDamage: ({ code }) => damages.push(code) },
  );

test('what was saved is loaded', () => {
  open().save({ v: 1, text: 'one' });
  expect(open().load()).toEqual({ v: 1, text: 'one' });
});

test('nothing saved is undefined, not an error', () => {
  expect(open().load()).toBeUndefined();
});

test.each([
  ['cut off', (bytes: Buffer) => bytes.subarray(0, 20)],
  ['empty', () => Buffer.alloc(0)],
  ['changed by one bit', (bytes: Buffer) => Buffer.from(bytes.toString().replace('two', 'twn'))],
])('a file that is %s is told, and its previous copy is used', (_, damage) => {
  const document = open();
  document.save({ v: 1, text: 'one' });
  document.save({ v: 1, text: 'two' });
  writeFileSync(path(), damage(readFileSync(path())));
  damages.length = 0;
  expect(open().load()).toEqual({ v: 1, text: 'one' });
  expect(damages).toEqual(['STATE_DAMAGED']);
});

test('when neither can be read, that is an error with the path', () => {
  const document = open();
  document.save({ v: 1, text: 'one' });
  document.save({ v: 1, text: 'two' });
  for (const name of ['state.json', 'state.json.previous']) writeFileSync(join(folder, name), '{');
  expect(() => open().load()).toThrowError(/STATE_DAMAGED/);
});

test('a damaged file never becomes the copy to fall back on', () => {
  const document = open();
  document.save({ v: 1, text: 'one' });
  document.save({ v: 1, text: 'two' });
  writeFileSync(path(), '{');
  const again = open();
  again.load();
  again.save({ v: 1, text: 'three' });
  writeFileSync(path(), '{');
  expect(open().load()).toEqual({ v: 1, text: 'one' });
});

describe('a state of another version of ours', () => {
  const foreign = () => {
    const value = JSON.stringify({ v: 2, other: true });
    return JSON.stringify({ v: 2, other: true, checksum: createHash('sha256').update(value).digest('hex') });
  };

  test('is told from damage, so that nobody starts anew over it', () => {
    writeFileSync(path(), foreign());
    expect(() => open().load()).toThrowError(expect.objectContaining({ detail: expect.objectContaining({ kind: 'not-understood' }) }));
    writeFileSync(path(), foreign().slice(5));
    expect(() => open().load()).toThrowError(expect.objectContaining({ detail: expect.objectContaining({ kind: 'damaged' }) }));
  });
});

test('what could not be read back is not saved, and what was there stays', () => {
  const document = open();
  document.save({ v: 1, text: 'one' });
  expect(() => document.save({ v: 1 } as never)).toThrowError(/INTERNAL_FAULT/);
  expect(open().load()).toEqual({ v: 1, text: 'one' });
});

import { describe, expect, test } from 'vitest';
import { losesNoticeKey, verifyFirstRoot, verifyNextRoot } from '../../../agent/rules/root.ts';
import { toUtcTime } from '../../../protocol/fields.ts';
import { aKey, aRoot, mintedAtMs, signRoot, someRootKeys } from '../../support/mint.ts';

const keys = someRootKeys();
const current = aRoot(keys);
const [one, two, three] = keys.root as [ReturnType<typeof aKey>, ReturnType<typeof aKey>, ReturnType<typeof aKey>];

describe('a root is followed', () => {
  test('by the next version, signed by the threshold of both', () => {
    const next = aRoot(keys, { version: 2 });
    expect(verifyNextRoot(current, signRoot(next, [one, two]))).toEqual(next);
  });

  test('by one with all new keys, when old and new ones signed it', () => {
    const newKeys = someRootKeys();
    const next = aRoot(newKeys, { version: 2 });
    expect(verifyNextRoot(current, signRoot(next, [one, three, ...newKeys.root.slice(0, 2)])).version).toBe(2);
  });

  test('by one that has expired: on the way expiry does not count', () => {
    const next = aRoot(keys, { version: 2, expires: toUtcTime(mintedAtMs - 1) });
    expect(verifyNextRoot(current, signRoot(next, [one, two])).version).toBe(2);
  });
});

describe('a root is not followed', () => {
  test('by one that only its own keys signed', () => {
    const newKeys = someRootKeys();
    expect(() => verifyNextRoot(current, signRoot(aRoot(newKeys, { version: 2 }), newKeys.root))).toThrowError(/SIGNING_KEY_UNKNOWN/);
  });

  test('by one that only the old keys signed', () => {
    const next = aRoot(someRootKeys(), { version: 2 });
    expect(() => verifyNextRoot(current, signRoot(next, [one, two]))).toThrowError(/SIGNING_KEY_UNKNOWN/);
  });

  test('by one that a single key signed twice', () => {
    expect(() => verifyNextRoot(current, signRoot(aRoot(keys, { version: 2 }), [one, one]))).toThrowError(/SIGNATURE_INVALID/);
  });

  test.each([1, 3, 0x7fffffff])('by version %i', (version) => {
    const envelope = signRoot(aRoot(keys, { version }), [one, two]);
    expect(() => verifyNextRoot(current, envelope)).toThrowError(/ROOT_CHAIN_BROKEN/);
  });
});

test('a first root must be signed by its own threshold', () => {
  expect(verifyFirstRoot(signRoot(current, [two, three]))).toEqual(current);
  expect(() => verifyFirstRoot(signRoot(current, [two]))).toThrowError(/SIGNATURE_INVALID/);
});

test('a notice key is lost when the new root does not name it any more, and not when one is added', () => {
  const more = aKey();
  const with2 = aRoot({ ...keys, notice: [...keys.notice, more] }, { version: 2 });
  const replaced = aRoot({ ...keys, notice: [more] }, { version: 3 });
  expect(losesNoticeKey(current, with2)).toBe(false);
  expect(losesNoticeKey(with2, replaced)).toBe(true);
  expect(losesNoticeKey(replaced, replaced)).toBe(false);
});

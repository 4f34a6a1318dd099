import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { faultOfName, foldedName, foldersAbove, splitName } from '../../../protocol/package/names.ts';

describe('a name', () => {
  test.for([
    ['plain', 'main.js', undefined],
    ['Japanese', '設定/説明.txt', undefined],
    ['with spaces', 'a b', undefined],
    ['255 bytes', `${'a'.repeat(99)}/${'b'.repeat(55)}/${'c'.repeat(99)}`, undefined],
    ['256 bytes', `${'a'.repeat(99)}/${'b'.repeat(55)}/${'c'.repeat(100)}`, 'too-long'],
    ['32 parts', Array(32).fill('a').join('/'), undefined],
    ['33 parts', Array(33).fill('a').join('/'), 'too-deep'],
    ['100 bytes without a slash', 'a'.repeat(100), undefined],
    ['101 bytes without a slash', 'a'.repeat(101), 'not-ustar'],
    ['a last part of 101 bytes', `a/${'b'.repeat(101)}`, 'not-ustar'],
    ['100 bytes that are 34 characters', `${'あ'.repeat(33)}a`, undefined],
    ['102 bytes that are 34 characters', 'あ'.repeat(34), 'not-ustar'],
    ['empty', '', 'empty-part'],
    ['absolute', '/a', 'absolute'],
    ['slash at the end', 'a/', 'empty-part'],
    ['two slashes', 'a//b', 'empty-part'],
    ['dot', 'a/./b', 'dot-part'],
    ['dots', 'a/../b', 'dot-part'],
    ['dots inside a part', 'a/..b/c...', undefined],
    ['backslash', 'a\\b', 'backslash'],
    ['NUL', 'a\0b', 'forbidden-character'],
    ['delete', 'a\x7f', 'forbidden-character'],
    ['zero-width space', 'a\u200bb', 'forbidden-character'],
    ['byte-order mark', '\ufeffa', 'forbidden-character'],
    ['lone surrogate', 'a\ud800', 'forbidden-character'],
    ['private use', 'a\ue000', 'forbidden-character'],
    ['line separator', 'a\u2028', 'forbidden-character'],
    ['paragraph separator', 'a\u2029', 'forbidden-character'],
    ['decomposed', 'e\u0301', 'not-nfc'],
    ['composed', '\u00e9', undefined],
  ] as const)('%s', ([, name, fault]) => {
    expect(faultOfName(name)).toBe(fault);
  });
});

test.for([
  ['A', 'a', true],
  ['ß', 'SS', true],
  ['ẞ', 'ss', true],
  ['ς', 'σ', true],
  ['ﬀ', 'FF', true],
  ['K', 'k', true],
  ['ı', 'i', false],
  ['ı', 'I', false],
  ['é', 'É', true],
  ['a', 'b', false],
] as const)('%s and %s fold to one name: %s', ([left, right, isSame]) => {
  expect(foldedName(left) === foldedName(right)).toBe(isSame);
});

test('a name that fits is divided so that it can be read back, by either rule', () => {
  const part = fc.stringMatching(/^[a-z]{1,60}$/);
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 8 }), (parts) => {
      const name = parts.join('/');
      for (const rule of ['longest-prefix', 'shortest-prefix'] as const) {
        const split = splitName(name, rule);
        if (split === undefined) continue;
        expect(split.prefix === '' ? split.name : `${split.prefix}/${split.name}`).toBe(name);
        expect([split.prefix.length <= 155, split.name.length <= 100, split.name !== '']).toEqual([true, true, true]);
      }
      expect(splitName(name, 'longest-prefix') === undefined).toBe(splitName(name, 'shortest-prefix') === undefined);
    }),
  );
});

test('the folders above a file', () => {
  expect(foldersAbove('a/b/c')).toEqual(['a/', 'a/b/']);
  expect(foldersAbove('c')).toEqual([]);
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCompactJson, toCompactJson } from '../../protocol/json.ts';
import { limits } from '../../protocol/limits.ts';

const read = (text: string | Uint8Array) => parseCompactJson(typeof text === 'string' ? Buffer.from(text) : text, 100_000);
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

describe('parseCompactJson', () => {
  test.each([
    ['a duplicate key', '{"a":1,"a":2}'],
    ['white space', '{"a": 1}'],
    ['a trailing line feed', '{"a":1}\n'],
    ['1.0', '{"a":1.0}'],
    ['1e3', '{"a":1e3}'],
    ['-0', '{"a":-0}'],
    ['a number beyond a double', '{"a":12345678901234567890}'],
    ['an escaped letter', '{"a":"\\u0041"}'],
    ['an integer-like key out of order', '{"b":1,"1":2}'],
    ['a byte order mark', '\ufeff{"a":1}'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => read(text)).toThrowError(/JSON_NOT_COMPACT/);
  });

  test('refuses bytes that are not UTF-8', () => {
    expect(() => read(Uint8Array.from([0x22, 0xc3, 0x28, 0x22]))).toThrowError(/JSON_NOT_COMPACT/);
  });

  test('16 levels are accepted, 17 are not, brackets in strings do not count', () => {
    expect(read(nested(limits.jsonDepth))).toBeDefined();
    expect(() => read(nested(limits.jsonDepth + 1))).toThrowError(/JSON_NOT_COMPACT/);
    expect(read(JSON.stringify('['.repeat(100)))).toBe('['.repeat(100));
    expect(read(JSON.stringify(`\\"${'['.repeat(100)}`))).toBeDefined();
  });

  test('a string may have 4 KiB of UTF-8, a key too, and not a byte more', () => {
    expect(read(JSON.stringify('a'.repeat(4096)))).toBeDefined();
    expect(() => read(JSON.stringify('あ'.repeat(1366)))).toThrowError(/JSON_NOT_COMPACT/);
    expect(() => read(JSON.stringify({ ['k'.repeat(4097)]: 1 }))).toThrowError(/JSON_NOT_COMPACT/);
  });

  test('a message above its cap is not parsed', () => {
    expect(() => parseCompactJson(Buffer.from('[1,2,3]'), 6)).toThrowError(/MESSAGE_TOO_LARGE/);
  });

  test('whatever toCompactJson writes is read back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, noUnicodeString: false }), (value) => {
        const text = toCompactJson(value);
        expect(JSON.stringify(read(text))).toBe(text.toString());
      }),
    );
  });
});

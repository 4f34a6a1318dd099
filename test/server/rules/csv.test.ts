import { describe, expect, test } from 'vitest';
import { csvRow } from '../../../server/rules/csv.ts';

describe('a cell that a spreadsheet would run', () => {
  test.each([
    '=1+1',
    '=HYPERLINK("https://x")',
    '+1',
    '-1',
    '@SUM(A1)',
    '\t=1',
    '\r=1',
    ' =1',
    '＝1+1',
    '－1',
    '＠a',
    '\uFEFF=1',
    '\u200B=1',
  ])('%j is text', (text) => {
    expect(csvRow([text])).toMatch(/^"'/);
  });
});

test('numbers stay numbers, also negative ones, and nothing is an empty cell', () => {
  expect(csvRow([0, -5, null, 29_480])).toBe('0,-5,,29480\r\n');
});

test('commas, quotes and line ends stay inside their cell (RFC 4180)', () => {
  expect(csvRow(['a,b', 'say "x"', 'two\r\nlines', 'アクメ株式会社'])).toBe('"a,b","say ""x""","two\r\nlines",アクメ株式会社\r\n');
});

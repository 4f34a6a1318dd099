/** docs/SECURITY-MODEL.md and test/attacks/, held to each other: every attack of the table is a test, and every test stands in the table. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { conformanceSuites } from '../scripts/support/conformance-suites.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const rows = read('docs/SECURITY-MODEL.md')
  .split('\n')
  .flatMap((line) => {
    const [, attack = '', clause = '', file = '', name = ''] = line.split('|').map((cell) => cell.trim());
    return file.startsWith('`test/attacks/') ? [{ attack, clause, file: file.replaceAll('`', ''), name }] : [];
  });
const files = readdirSync(path.join(root, 'test/attacks'))
  .filter((name) => name.endsWith('.root.test.ts'))
  .map((name) => `test/attacks/${name}`);

/** What is run as `test`, and the rows of a table that `test.each` runs. */
function namesIn(file: string): string[] {
  const text = read(file);
  const cases = /const cases = \[(.*?)\n {2}\] as const;/s.exec(text)?.[1] ?? '';
  const direct = [...text.matchAll(/\btest(?:\.each\((?:[^()]|\([^()]*\))*(?:\([^()]*(?:\([^()]*\)[^()]*)*\))*[^()]*\))?\(\s*'([^']+)'/g)];
  const ofTable = [...cases.matchAll(/\[\s*'([^']+)',\s*'[A-Z_]+'/g)];
  return [...direct, ...ofTable].flatMap(([, name]) => (name === undefined || name === '%s' ? [] : [name]));
}

/** The names under which field and standards know them. */
const asked = [
  'arbitrary installation',
  'endless data',
  'extraneous dependencies',
  'fast-forward',
  'indefinite freeze',
  'malicious mirrors',
  'mix-and-match',
  'rollback',
  'slow retrieval',
  'wrong software installation',
  'key compromise: root below threshold',
  'key compromise: notice key',
  'key compromise: provider key',
  'key compromise: provider key and server together',
  'eavesdrop',
  'drop-request',
  'partial bundle installation',
  'replay of another gateway’s notice',
  'downgrade of limits or grants',
  'a notice that is empty or too small',
  'squatting of a software id or prefix',
  'clock set to 1970',
  'clock set to 2099',
  'clock stepping back',
  'a stolen notice key that signs 2099',
  'a stolen notice key that signs version 2^53−1',
  'a machine in the middle with a real other CA',
  'client-id takeover',
  'an old certificate of a swapped gateway',
];

test('every attack that has a name stands in the table, with a clause', () => {
  const named = new Set(rows.map(({ attack }) => attack));
  expect(asked.filter((name) => !named.has(name))).toEqual([]);
  expect(rows.filter(({ clause }) => !/(TUF|Uptane) §|EN 5\./.test(clause))).toEqual([]);
});

test.each(files)('%s: its tests and its rows are the same', (file) => {
  const inTable = rows.filter((row) => row.file === file).map(({ name }) => name);
  expect(inTable.toSorted()).toEqual(namesIn(file).toSorted());
  expect(inTable).not.toEqual([]);
});

test('no row names a file that is not there, and the conformance suite runs them all', () => {
  expect(rows.filter(({ file }) => !files.includes(file))).toEqual([]);
  const run = conformanceSuites.filter(({ name }) => name === 'attacks' || name === 'packages').flatMap((suite) => suite.files);
  expect(files.filter((file) => !run.some((part) => file.includes(part)))).toEqual([]);
});

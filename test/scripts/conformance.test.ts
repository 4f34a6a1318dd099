import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Counted, toDocument, toText } from '../../scripts/support/conformance-document.ts';
import { conformanceSuites, suiteNames } from '../../scripts/support/conformance-suites.ts';

const root = path.resolve(import.meta.dirname, '../..');
const testFiles = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith('.test.ts') && existsSync(path.join(root, file)));

test('suites have the names that others ask for', () => {
  const known = ['attacks', 'packages', 'chains', 'vectors', 'escape', 'limits', 'crash', 'agreement', 'questions'];
  expect(suiteNames.filter((name) => !known.includes(name))).toEqual([]);
  expect(new Set(suiteNames).size).toBe(suiteNames.length);
});

describe('every suite finds tests', () => {
  test.each(conformanceSuites.flatMap(({ name, files }) => files.map((file) => ({ name, file }))))('$name: $file', ({ file }) => {
    expect(testFiles.filter((found) => found.includes(file))).not.toEqual([]);
  });
});

describe('what is shown', () => {
  const counted: Counted = {
    at: '2026-11-22T00:00:00.000Z',
    versions: { node: 'v20.20.2' },
    suites: [
      {
        name: 'chains',
        promise: { ja: '約束', en: 'a promise' },
        files: ['test/chains'],
        passed: 3,
        failed: 1,
        skipped: 1,
        failures: ['the one that fails'],
        skips: ['the one that is skipped'],
      },
    ],
  };

  test('on a terminal: counts, the sum, and the name of whatever did not pass', () => {
    expect(toText(counted).split('\n')).toEqual([
      'suite          passed   failed  skipped',
      'chains              3        1        1',
      'all                 3        1        1',
      'FAILED  chains: the one that fails',
      'skipped chains: the one that is skipped',
      'node v20.20.2',
      '',
    ]);
  });

  test('as a page: the promise, where its tests are, and what was skipped', () => {
    const page = toDocument(counted);
    expect(page).toContain('| `chains` | 約束<br>a promise | 3 | 1 | 1 | `test/chains` |');
    expect(page).toContain('- chains: the one that is skipped');
    expect(page).toContain('2026-11-22, with node v20.20.2.');
  });
});

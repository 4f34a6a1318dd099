import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalogue } from '../../protocol/errors.ts';
import { errorsDocument } from '../../scripts/support/errors-document.ts';

test('docs/ERRORS.md is what the catalogue says (else: npm run build && node dist/scripts/generate-docs.js)', () => {
  expect(readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8')).toBe(errorsDocument());
});

test('docs/ERRORS.md has every number and code once', () => {
  const rows = errorsDocument()
    .split('\n')
    .filter((line) => /^\| E\d{3} \|/.test(line));
  expect(rows.map((row) => row.split('|')[2]?.trim()).sort()).toEqual(
    Object.keys(catalogue)
      .map((code) => `\`${code}\``)
      .sort(),
  );
});

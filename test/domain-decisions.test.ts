/** docs/decisions/domain.md and the code, held to each other: every decision of DOMAIN §7 has one home, and every home stands in the page. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { configSchema } from '../server/config.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const page = read('docs/decisions/domain.md');
const rows = page.split('\n').flatMap((line) => {
  const [, id, , , where, setting] = line.split('|').map((cell) => cell.trim());
  const [, file, name] = /^`([^`]+)` `([^`]+)`$/.exec(where ?? '') ?? [];
  return id !== undefined && /^D-\d\d$/.test(id)
    ? [{ id, file: String(file), name: String(name), setting: setting?.replaceAll('`', '') ?? '' }]
    : [];
});
const programs = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'protocol', 'agent', 'server', 'provider', 'scripts'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => file.endsWith('.ts') && existsSync(path.join(root, file)));

test('the page has D-01 to D-35, each once', () => {
  expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 35 }, (_, index) => `D-${String(index + 1).padStart(2, '0')}`));
});

test('DOMAIN §7 knows the same numbers', () => {
  const known = [...read('docs/design/DOMAIN.md').matchAll(/^\| (D-\d\d) \|/gm)].map(([, id]) => String(id));
  expect([...known].sort()).toEqual(rows.map(({ id }) => id));
});

describe('from the page to the code', () => {
  test.each(rows)('$id is $name in $file, with its reason beside it', ({ id, file, name }) => {
    const source = read(file);
    // The comment that begins `D-nn:` is followed by the name, or stands inside the declaration that bears it.
    const at = source.indexOf(`${id}:`);
    expect([id, at >= 0]).toEqual([id, true]);
    const around = source.slice(source.lastIndexOf('\n\n', at) + 1, at + 900);
    expect(around).toMatch(new RegExp(`\\b${name}\\b`));
    const reason = source.slice(at + id.length + 1, source.indexOf('\n\n', at)).replace(/[*/\s]+/g, ' ');
    expect(reason.length).toBeGreaterThan(40);
  });

  test.each(rows.filter(({ setting }) => setting !== '–'))('$id can be chosen by the setting $setting', ({ setting }) => {
    const value = setting.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], configSchema.parse({}));
    expect(value).toBeDefined();
  });
});

describe('from the code to the page', () => {
  const homes = programs.flatMap((file) => [...read(file).matchAll(/\b(D-\d\d):/g)].map(([, id]) => ({ id: String(id), file })));

  test('every home stands in the page, in this file', () => {
    expect(homes.filter(({ id, file }) => !rows.some((row) => row.id === id && row.file === file))).toEqual([]);
  });

  test('every number that the code mentions is one of the page', () => {
    const mentioned = new Set(
      programs
        .filter((file) => !file.startsWith('scripts/story'))
        .flatMap((file) => [...read(file).matchAll(/\bD-(\d\d)\b/g)].map(([id]) => id)),
    );
    expect([...mentioned].filter((id) => !rows.some((row) => row.id === id))).toEqual([]);
  });

  test('what was decided beside the sheet is there under its name', () => {
    const beside = page.slice(page.indexOf('## Beside the sheet'));
    for (const [, file, name] of beside.matchAll(/`([\w/.-]+\.ts)`(?: `(\w+)`)?/g)) {
      expect([file, existsSync(path.join(root, String(file)))]).toEqual([file, true]);
      if (name !== undefined) expect(read(String(file))).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});

/** The programs send people to pages of docs/: whoever has the package and not the repository must find them there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const { files } = JSON.parse(read('package.json')) as { files: string[] };

/** Whole folders, comments too: what is told by a comment today is told by a sentence tomorrow. */
const told = ['protocol/error-catalogue', 'server/cli', 'server/outside/mosquitto', 'server/outside/nginx'].flatMap((folder) =>
  readdirSync(path.join(root, folder)).map((name) => `${folder}/${name}`),
);
const pages = new Set(told.flatMap((file) => read(file).match(/docs\/[\w/-]+\.md/g) ?? []));

test('every page that a program names is there, and in the package', () => {
  expect(pages.size).toBeGreaterThan(3);
  const isShipped = (page: string) => files.some((shipped) => page === shipped || (shipped.endsWith('/') && page.startsWith(shipped)));
  expect([...pages].filter((page) => !existsSync(path.join(root, page)) || !isShipped(page))).toEqual([]);
});

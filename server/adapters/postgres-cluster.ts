/** The folder that PostgreSQL keeps the database in: made by initdb, or put together from a backup. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { type Account, asAccount } from './run-as.ts';

export const databaseUser = 'tsugite';
export const postgresEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/bin:/bin' };
/** Written last: a cluster without it was cut short while it was made. */
const readyFile = 'tsugite.ready';
const accessFile = 'pg_hba.conf.own';

export function isClusterReady(cluster: string): boolean {
  return existsSync(join(cluster, readyFile));
}

export function accessFileOf(cluster: string): string {
  return join(cluster, accessFile);
}

/** initdb: UTF-8, and C collation, so that the order of texts is the same on every machine. */
export function createCluster(account: Account, programs: string, cluster: string, isThrowaway: boolean): void {
  rmSync(cluster, { recursive: true, force: true }); // an initdb that was cut short
  ownFolder(cluster, account);
  const options = [`--pgdata=${cluster}`, `--username=${databaseUser}`, '--encoding=UTF8', '--no-locale', '--auth=reject'];
  const [command, args] = asAccount(account, join(programs, 'bin', 'initdb'), [...options, ...(isThrowaway ? ['--no-sync'] : [])]);
  const result = spawnSync(command, args, { cwd: '/', env: postgresEnvironment, encoding: 'utf8' });
  if (result.status !== 0)
    throw new Error(`initdb failed: ${(result.error?.message ?? `${result.stderr}${result.stdout}`).trim().slice(-2000)}`);
  finishCluster(cluster, account);
}

/** The folders of a backup's cluster, those that are empty too: PostgreSQL starts only where all are there. */
export function makeClusterFolder(cluster: string, folders: readonly string[]): void {
  rmSync(cluster, { recursive: true, force: true });
  for (const path of ['', ...folders]) mkdirSync(join(cluster, path), { recursive: true, mode: 0o700 });
}

/** A cluster whose files were copied here: they become the account's, and whoever runs the server now may connect. */
export function adoptCluster(cluster: string, account: Account): void {
  own(cluster, account);
  finishCluster(cluster, account);
}

/** @throws TsugiteError DATABASE_UNSUITABLE: another major version of PostgreSQL cannot read these files */
export function verifyEngine(cluster: string, programsVersion: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  const expected = programsVersion.split('.')[0];
  if (found !== expected)
    throw new TsugiteError('DATABASE_UNSUITABLE', { kind: 'engine', expected: `PostgreSQL ${expected}`, found: `PostgreSQL ${found}` });
}

export function ownFolder(path: string, account: Account): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  chownSync(path, account.uid, account.gid);
}

/** Who may connect: our own uid, told by the kernel (peer), so there is no password to keep. */
function finishCluster(cluster: string, account: Account): void {
  const self = process.getuid?.() === 0 ? 'root' : account.name;
  const files = {
    'pg_ident.conf': `server ${self} ${databaseUser}\n`,
    [accessFile]: `local all ${databaseUser} peer map=server\n`,
    [readyFile]: '',
  };
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(cluster, name), text, { mode: 0o600, flush: true });
    chownSync(join(cluster, name), account.uid, account.gid);
  }
}

function own(path: string, account: Account): void {
  chownSync(path, account.uid, account.gid);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) own(inside, account);
    else chownSync(inside, account.uid, account.gid);
  }
}

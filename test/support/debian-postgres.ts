/**
 * PostgreSQL 15 as Debian packages it, which is what an operator's DATABASE_URL leads to: a cluster of its own in a temporary folder, reached through
 * a unix socket by a role with a password and no other right than its own database. Debian's service and its clusters are not touched.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDatabase } from '../../server/adapters/database.ts';
import { accountOfUid, asAccount, findAccount } from '../../server/adapters/run-as.ts';
import { onceARun } from './once-a-run.ts';
import { until } from './until.ts';

const programs = '/usr/lib/postgresql/15/bin';
const password = 'only for tests';
const environment = { LC_ALL: 'C', TZ: 'Asia/Tokyo', PATH: '/usr/bin:/bin' };
const account = process.getuid?.() === 0 ? findAccount('postgres') : accountOfUid(process.getuid?.() ?? -1);

export type DebianPostgres = {
  /** As an operator writes it. */
  url(database?: string): string;
  /** Runs statements as the cluster's superuser, each by itself. */
  asSuperuser(statements: readonly string[], database?: string): Promise<void>;
  start(): Promise<void>;
  /** @param signal  SIGINT: connections are ended, all is written; SIGQUIT: as a crash */
  stop(signal?: 'SIGINT' | 'SIGQUIT'): Promise<void>;
  /** Stops it and removes everything. */
  remove(): Promise<void>;
};

/** The database as docs/operations/database.md says to make it. */
export const createDatabase = `CREATE DATABASE tsugite OWNER tsugite TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`;

/** Running, with the role and the empty database. */
export async function aDebianPostgres(settings: Readonly<Record<string, string>> = {}): Promise<DebianPostgres> {
  return startCopy(await onceARun('debian-postgres', makeTemplate), settings);
}

/** The same with a database that `prepare` filled, once a run. */
export async function aPreparedDebianPostgres(name: string, prepare: (url: string) => Promise<void>): Promise<DebianPostgres> {
  const empty = await onceARun('debian-postgres', makeTemplate);
  const template = await onceARun(`debian-postgres-${name}`, async (folder) => {
    const { postgres } = copyTo(folder, empty);
    await postgres.start();
    await prepare(postgres.url());
    await postgres.stop();
  });
  return startCopy(template, {});
}

async function startCopy(template: string, settings: Readonly<Record<string, string>>): Promise<DebianPostgres> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-debian-'));
  const { postgres } = copyTo(folder, template, settings);
  await postgres.start();
  const remove = async () => {
    await postgres.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { ...postgres, remove };
}

function copyTo(folder: string, template: string, settings: Readonly<Record<string, string>> = {}) {
  const sockets = path.join(folder, 'run');
  for (const place of [folder, sockets]) own(place, 0o711);
  const cluster = path.join(folder, 'cluster');
  execFileSync('cp', ['-a', path.join(template, 'cluster'), cluster]);
  return { postgres: clusterIn(cluster, sockets, settings) };
}

async function makeTemplate(folder: string): Promise<void> {
  own(folder, 0o711);
  const cluster = path.join(folder, 'cluster');
  own(cluster, 0o700);
  const options = ['--auth=trust', '--username=postgres', '--encoding=UTF8', '--locale=C.UTF-8', '--wal-segsize=1', '--no-sync'];
  const [command, args] = asAccount(account, path.join(programs, 'initdb'), [`--pgdata=${cluster}`, ...options]);
  execFileSync(command, args, { cwd: '/', env: environment });
  writeFileSync(path.join(cluster, 'pg_hba.conf'), 'local all postgres trust\nlocal all all scram-sha-256\n');
  const sockets = path.join(folder, 'run');
  own(sockets, 0o711);
  const postgres = clusterIn(cluster, sockets, {});
  await postgres.start();
  await postgres.asSuperuser([`CREATE ROLE tsugite LOGIN PASSWORD '${password}'`, createDatabase], 'postgres');
  await postgres.stop();
}

function clusterIn(cluster: string, sockets: string, settings: Readonly<Record<string, string>>): Omit<DebianPostgres, 'remove'> {
  let child: ChildProcess | undefined;
  const all = { listen_addresses: '', unix_socket_directories: sockets, fsync: 'off', log_min_messages: 'panic', ...settings };
  const url = (user: string, database: string) => `postgres://${user}@localhost/${database}?host=${encodeURIComponent(sockets)}`;
  const isOver = () => child === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    url: (database = 'tsugite') => url(`tsugite:${encodeURIComponent(password)}`, database),
    asSuperuser: async (statements, database = 'tsugite') => {
      const db = openDatabase({ connectionString: url('postgres', database) }, { maxConnections: 1 });
      try {
        for (const statement of statements) await db.query(statement);
      } finally {
        await db.close();
      }
    },
    start: async () => {
      const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
      const [command, args] = asAccount(account, path.join(programs, 'postgres'), ['-D', cluster, ...flags], 'INT');
      child = spawn(command, args, { cwd: '/', env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
      const { pid } = child;
      await until(() => isOver() || stateIn(cluster, pid) === 'ready', "Debian's PostgreSQL", 30_000);
      if (isOver()) throw new Error("Debian's PostgreSQL did not start");
    },
    stop: async (signal = 'SIGINT') => {
      child?.kill(signal);
      await until(isOver, "the end of Debian's PostgreSQL", 30_000);
    },
  };
}

/** Line 8 of postmaster.pid, once it is this postmaster's. */
function stateIn(cluster: string, pid: number | undefined): string | undefined {
  try {
    const lines = readFileSync(path.join(cluster, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === String(pid) ? lines[7]?.trim() : undefined;
  } catch {
    return undefined;
  }
}

function own(folder: string, mode: number): void {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, mode);
  chownSync(folder, account.uid, account.gid);
}

/**
 * A private PostgreSQL: a child process of ours, on a unix socket only, under another uid, with real fsync. It ends with us (kill -9
 * included), and what an earlier run left behind is ended before the next start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Connection } from './database.ts';
import { type PostgresBinaries, preparePostgres } from './postgres-binaries.ts';
import {
  accessFileOf,
  createCluster,
  databaseUser,
  isClusterReady,
  ownFolder,
  postgresEnvironment,
  verifyEngine,
} from './postgres-cluster.ts';
import { findPostgresHome } from './postgres-home.ts';
import { type Account, accountOfUid, asAccount, findAccount } from './run-as.ts';

export type EmbeddedPostgresOptions = {
  /** The server's data folder. */
  readonly dataDir: string;
  /** Account for the child when we are root. */
  readonly accountName?: string;
  readonly onLine?: (line: string) => void;
  /** True where there may be no database yet: at init. Elsewhere a new, empty one would hide that the old one is gone. */
  readonly mayCreate?: boolean;
  /** Only for tests that throw the folder away: no fsync. */
  readonly isThrowaway?: boolean;
};

export type EmbeddedPostgres = {
  readonly connection: Connection;
  readonly pid: number;
  readonly programs: PostgresBinaries;
  /** Resolves when the child ended, asked or not. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
};

const port = 5432;
const readyWithinMs = 120_000; // crash recovery replays WAL before it is ready
const stopWithinMs = 20_000;
const lookEveryMs = 10;

/** Whose the database's files are: root's server gives them to another account. */
export function databaseAccount(accountName = 'nobody'): Account {
  return process.getuid?.() === 0 ? findAccount(accountName) : accountOfUid(process.getuid?.() ?? -1);
}

/**
 * The way to the PostgreSQL of a server that runs on this data folder.
 *
 * @throws TsugiteError DATABASE_UNSUITABLE (gone): there is no database in it
 */
export function connectionTo(dataDir: string): { connection: Connection; cluster: string } {
  const cluster = join(dataDir, 'postgres', 'cluster');
  if (!isClusterReady(cluster)) throw new TsugiteError('DATABASE_UNSUITABLE', { kind: 'gone', path: dataDir });
  const home = realpathSync(join(dataDir, 'postgres'));
  return { connection: connectionIn(join(home, 'run')), cluster: join(home, 'cluster') };
}

/** @throws TsugiteError DATABASE_UNSUITABLE (gone | engine) */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const account = databaseAccount(options.accountName);
  if (options.mayCreate === false) connectionTo(options.dataDir);
  const home = findPostgresHome(options.dataDir, account);
  const programs = preparePostgres(account, home);
  const cluster = join(home, 'cluster');
  const socketDir = join(home, 'run');
  if (!isClusterReady(cluster)) createCluster(account, programs.folder, cluster, options.isThrowaway === true);
  verifyEngine(cluster, programs.version);
  ownFolder(socketDir, account);
  await endLeftover(cluster);

  const child = launch(account, programs.folder, cluster, options.isThrowaway === true);
  const lines: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (lines.push(line) > 20) lines.shift();
    options.onLine?.(line);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await waitUntilReady(child, cluster, lines);
  return {
    connection: connectionIn(socketDir),
    pid: child.pid as number,
    programs,
    ended,
    stop: () => endProcess(child.pid as number, () => child.exitCode !== null || child.signalCode !== null),
  };
}

function launch(account: Account, programs: string, cluster: string, isThrowaway: boolean): ChildProcess {
  const settings: Record<string, string> = {
    listen_addresses: '',
    unix_socket_directories: '../run', // from its working folder, the cluster: sun_path holds 107 bytes (unix(7))
    unix_socket_permissions: '0700',
    port: String(port),
    hba_file: accessFileOf(cluster),
    shared_buffers: '16MB',
    max_connections: '30',
    max_logical_replication_workers: '0', // one process less
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '', // our own log dates its lines
    log_min_messages: 'warning',
    log_error_verbosity: 'terse', // DETAIL lines quote values: an お客さまID must not reach a log
    log_checkpoints: 'off',
    jit: 'off',
    ...(isThrowaway ? { fsync: 'off' } : {}),
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // SIGINT is PostgreSQL's fast shutdown: it aborts open transactions and leaves a clean folder.
  const [command, args] = asAccount(account, join(programs, 'bin', 'postgres'), ['-D', cluster, ...flags], 'INT');
  return spawn(command, args, { cwd: '/', env: postgresEnvironment, stdio: ['ignore', 'ignore', 'pipe'] });
}

/** The postmaster writes its state into line 8 of postmaster.pid (PostgreSQL pidfile.h), which is what pg_ctl reads too. */
async function waitUntilReady(child: ChildProcess, cluster: string, lines: readonly string[]): Promise<void> {
  for (let waitedMs = 0; waitedMs < readyWithinMs; waitedMs += lookEveryMs) {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) break;
    const [pid, , , , , , , state] = readPidFile(cluster);
    if (pid === String(child.pid) && state?.trim() === 'ready') return;
    await pause(lookEveryMs);
  }
  child.kill('SIGQUIT');
  throw new Error(`PostgreSQL did not start: ${lines.join(' | ').slice(-2000) || 'no output'}`);
}

/** The postmaster of a server that was killed: PR_SET_PDEATHSIG has told it to stop; wait for that, or tell it again. */
async function endLeftover(cluster: string): Promise<void> {
  const pid = Number(readPidFile(cluster)[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1 || !isPostmasterOf(pid, cluster)) return;
  await endProcess(pid, () => !isPostmasterOf(pid, cluster));
}

/** A pid alone proves nothing after a reboot: the process must be a postgres whose working folder is this cluster. */
function isPostmasterOf(pid: number, cluster: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`).endsWith('/postgres') && readlinkSync(`/proc/${pid}/cwd`) === cluster;
  } catch {
    return false;
  }
}

async function endProcess(pid: number, isGone: () => boolean): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (isGone()) return;
    try {
      process.kill(pid, signal);
    } catch {
      return;
    }
    for (let waitedMs = 0; waitedMs < stopWithinMs && !isGone(); waitedMs += lookEveryMs) await pause(lookEveryMs);
  }
}

function readPidFile(cluster: string): string[] {
  try {
    return readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return [];
  }
}

function connectionIn(socketDir: string): Connection {
  return { host: reachableSocketDir(socketDir), database: 'postgres', user: databaseUser };
}

/** A path too long for sun_path is reached through a descriptor of its folder, kept open for our lifetime. */
function reachableSocketDir(socketDir: string): string {
  if (Buffer.byteLength(join(socketDir, `.s.PGSQL.${port}`)) <= 107) return socketDir;
  return `/proc/self/fd/${openSync(socketDir, 'r')}`;
}

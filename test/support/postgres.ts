import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Connection, openDatabase } from '../../server/adapters/database.ts';
import { startEmbeddedPostgres } from '../../server/adapters/embedded-postgres.ts';
import { migrate } from '../../server/adapters/migrations.ts';
import type { Db } from '../../server/ports.ts';
import { aDebianPostgres, aPreparedDebianPostgres, type DebianPostgres } from './debian-postgres.ts';
import { onceARun } from './once-a-run.ts';

export type TestDatabase = { readonly db: Db; readonly connection: Connection; stop(): Promise<void> };

/** Which PostgreSQL the tests run on: ours, or Debian's 15 (the `debian15` project of vitest.config.ts). */
export const isOnDebian = process.env.TSUGITE_TEST_DATABASE === 'debian15';

/** A real PostgreSQL of its own with the newest schema, on a throw-away folder (no fsync): initdb and the migrations run once a run. */
export async function aDatabase(): Promise<TestDatabase> {
  return isOnDebian ? onDebian() : onOurs();
}

async function onDebian(): Promise<TestDatabase> {
  const postgres = await aPreparedDebianPostgres('migrated', async (url) => {
    const empty = openDatabase({ connectionString: url });
    await migrate(empty, Date.now());
    await empty.close();
  });
  return asTestDatabase(postgres);
}

function asTestDatabase(postgres: DebianPostgres): TestDatabase {
  const connection = { connectionString: postgres.url() };
  const db = openDatabase(connection);
  return {
    db,
    connection,
    stop: async () => {
      await db.close();
      await postgres.remove();
    },
  };
}

/** A database without any table. */
export async function anEmptyDatabase(): Promise<TestDatabase> {
  if (isOnDebian) return asTestDatabase(await aDebianPostgres());
  const dataDir = mkdtempSync(path.join(tmpdir(), 'tsugite-pg-'));
  chmodSync(dataDir, 0o711);
  return startOurs(dataDir);
}

/** What only a superuser can do: the embedded database's role is one, an operator's is not. */
export async function asSuperuser(connection: Connection, sql: string): Promise<void> {
  const as = 'connectionString' in connection ? connection.connectionString.replace(/\/\/[^@]*@/, '//postgres@') : undefined;
  const db = openDatabase(as === undefined ? connection : { connectionString: as }, { maxConnections: 1 });
  try {
    await db.query(sql);
  } finally {
    await db.close();
  }
}

async function onOurs(): Promise<TestDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'tsugite-pg-'));
  chmodSync(dataDir, 0o711); // PostgreSQL's account passes through; behind a closed folder its files would go to /var/lib
  copyDatabase(await onceARun('database', makeTemplate), dataDir);
  return startOurs(dataDir);
}

async function startOurs(dataDir: string): Promise<TestDatabase> {
  const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  const db = openDatabase(postgres.connection);
  return {
    db,
    connection: postgres.connection,
    stop: async () => {
      await db.close();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function makeTemplate(dataDir: string): Promise<void> {
  const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  const db = openDatabase(postgres.connection);
  await migrate(db, Date.now());
  await db.close();
  await postgres.stop();
}

/** `postgres/` of one stopped server to another's folder, owners and all; the copy of PostgreSQL's programs that it may hold is only pointed to. */
export function copyDatabase(fromDataDir: string, toDataDir: string): void {
  const [from, to] = [path.join(fromDataDir, 'postgres'), path.join(toDataDir, 'postgres')];
  if (!existsSync(from)) return;
  mkdirSync(to, { mode: 0o711 });
  chmodSync(to, 0o711);
  execFileSync('cp', ['-a', path.join(from, 'cluster'), to]);
  for (const name of readdirSync(from)) if (name.startsWith('programs-')) symlinkSync(path.join(from, name), path.join(to, name));
}

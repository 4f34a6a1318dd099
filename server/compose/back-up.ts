/** `tsugite-server backup`: database, packages, keys and settings of one moment, while the server runs or not. Never the offline root keys. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { type BackupFacts, type BackupManifest, type BackupWriter, makeBackupFolder, verifyRoom } from '../adapters/backup-folder.ts';
import { type DataFolder, dataFolder, verifyInitialised } from '../adapters/data-folder.ts';
import { lockDataFolder } from '../adapters/data-lock.ts';
import { asDatabaseError, openDatabase } from '../adapters/database.ts';
import { connectionTo, startEmbeddedPostgres } from '../adapters/embedded-postgres.ts';
import { type BackupSession, listCluster, openBackupSession } from '../adapters/postgres-backup.ts';
import type { ServerConfig } from '../config.ts';
import type { Actor } from '../flows/actor.ts';
import { appendAudit } from '../flows/audit.ts';
import { newestAuditHead } from '../flows/keep-audit-head.ts';
import type { Clock, Db, Random } from '../ports.ts';

export type BackUpOrder = {
  readonly dir: string;
  readonly out: string;
  readonly config: ServerConfig;
  /** The settings in use; absent where nothing but defaults is. */
  readonly configFile: string | undefined;
  readonly withoutDatabase: boolean;
  /** Who asked, as the operating system knows them. */
  readonly person: string;
  readonly progress: (doneBytes: number, allBytes: number) => void;
};
export type BackedUp = {
  readonly out: string;
  readonly manifest: BackupManifest;
  readonly sha256: string;
  readonly bytes: number;
  /** Digests that the database knows and the folder lacks: what is broken already is told, and the rest is saved. */
  readonly missingPackages: readonly string[];
  readonly hasOfflineRoot: boolean;
};
type Parts = { readonly clock: Clock; readonly random: Random; readonly program: string };

/** @throws TsugiteError NOT_INITIALISED · DATABASE_ELSEWHERE · FILE_EXISTS · DISK_FULL · DATABASE_UNAVAILABLE; then nothing is left at `out` */
export async function backUp(order: BackUpOrder, parts: Parts): Promise<BackedUp> {
  const folder = dataFolder(order.dir);
  verifyInitialised(folder);
  const isElsewhere = order.config.database.url !== undefined;
  if (isElsewhere !== order.withoutDatabase)
    throw isElsewhere ? new TsugiteError('DATABASE_ELSEWHERE') : new TsugiteError('USAGE_WRONG', { at: '--without-database' });
  const database = isElsewhere ? await reachElsewhere(order.config) : await reachEmbedded(folder, order.config);
  try {
    return await writeBackup(order, parts, folder, database);
  } finally {
    await database.close();
  }
}

type Reached = {
  readonly db: Db;
  /** The files, where they are ours to copy. */
  readonly files: { readonly session: BackupSession; readonly cluster: string } | undefined;
  close(): Promise<void>;
};

/** Not to copy it, but to write into its audit log that the rest was. */
async function reachElsewhere({ database }: ServerConfig): Promise<Reached> {
  const db = openDatabase({ connectionString: database.url as string }, { maxConnections: 1 });
  return { db, files: undefined, close: db.close };
}

/** Of the server that runs on this folder; when none does, PostgreSQL is started for the backup, and nobody else starts meanwhile. */
async function reachEmbedded(folder: DataFolder, config: ServerConfig): Promise<Reached> {
  const { connection, cluster } = connectionTo(folder.root);
  const lock = lockIfFree(folder);
  try {
    const own = lock && (await startEmbeddedPostgres({ dataDir: folder.root, accountName: config.database.account, mayCreate: false }));
    const session = await asDatabaseError(openBackupSession(own?.connection ?? connection, cluster));
    const db = openDatabase(own?.connection ?? connection, { maxConnections: 1 });
    const close = async () => {
      await db.close();
      await session.close();
      await own?.stop();
      lock?.release();
    };
    return { db, files: { session, cluster }, close };
  } catch (error) {
    lock?.release();
    throw error;
  }
}

function lockIfFree(folder: DataFolder): { release(): void } | undefined {
  try {
    return lockDataFolder(folder.lock, folder.root);
  } catch (error) {
    if (error instanceof TsugiteError && error.code === 'ALREADY_RUNNING') return undefined;
    throw error;
  }
}

async function writeBackup(order: BackUpOrder, parts: Parts, folder: DataFolder, { db, files }: Reached): Promise<BackedUp> {
  const besides = filesBeside(folder, order.configFile);
  const database = files === undefined ? [] : (await listCluster(files.cluster)).files.map((path) => ({ from: join(files.cluster, path) }));
  const allBytes = [...besides, ...database].reduce((sum, { from }) => sum + sizeOf(from), 0);
  await verifyRoom(dirname(resolve(order.out)), allBytes);

  const out = await makeBackupFolder(order.out);
  const copied = makeCopier(out, allBytes, order.progress);
  try {
    const id = parts.random.id();
    const madeAt = new Date(parts.clock.nowMs()).toISOString();
    await asDatabaseError(recordRead(db, { id, order, nowMs: parts.clock.nowMs() }));
    const told = await asDatabaseError(files === undefined ? factsOf(db) : copyDatabase(db, files, { id, out, copied }));
    // After the database: a package is on the disk before the database knows it.
    for (const { from, to } of filesBeside(folder, order.configFile)) await copied(from, to);
    const facts: BackupFacts = {
      id,
      madeAt,
      program: parts.program,
      database: files === undefined ? { kind: 'elsewhere' } : { kind: 'embedded', engine: told.engine, migrations: told.migrations },
      audit: told.audit,
      rootVersion: told.rootVersion,
    };
    const { manifest, sha256 } = await out.finish(facts);
    const has = new Set(manifest.files.map(({ path }) => path));
    return {
      out: resolve(order.out),
      manifest,
      sha256,
      bytes: manifest.files.reduce((sum, { bytes }) => sum + bytes, 0),
      missingPackages: told.packages.filter((digest) => !has.has(`packages/${digest}`)),
      hasOfflineRoot: existsSync(folder.offlineRoot) && readdirSync(folder.offlineRoot).some((name) => name.endsWith('.key.pem')),
    };
  } catch (error) {
    await out.abandon();
    throw error;
  }
}

type Copy = (from: string, to: string) => Promise<void>;

function makeCopier(out: BackupWriter, allBytes: number, progress: BackUpOrder['progress']): Copy {
  let doneBytes = 0;
  return async (from, to) => {
    if (await out.copy(from, to)) doneBytes += sizeOf(from);
    progress(Math.min(doneBytes, allBytes), allBytes);
  };
}

type Told = Pick<BackupFacts, 'audit' | 'rootVersion'> & {
  readonly engine: string;
  readonly migrations: string[];
  readonly packages: string[];
};

async function copyDatabase(
  db: Db,
  { session, cluster }: { session: BackupSession; cluster: string },
  { id, out, copied }: { id: string; out: BackupWriter; copied: Copy },
): Promise<Told> {
  await session.start(id);
  const { folders, files } = await listCluster(cluster);
  for (const path of folders) await out.folder(`database/${path}`);
  for (const path of files) await copied(join(cluster, path), `database/${path}`);
  const told = await factsOf(db);
  const { label, wal } = await session.stop();
  for (const path of wal) await copied(join(cluster, path), `database/${path}`);
  await out.write('database/backup_label', label);
  return told;
}

/** A backup reads every customer's data: who took it stands in the audit log, and so in the backup. */
async function recordRead(db: Db, { id, order, nowMs }: { id: string; order: BackUpOrder; nowMs: number }): Promise<void> {
  const actor: Actor = { name: `local:${order.person}`, role: 'operator' };
  await db.tx((sql) => appendAudit(sql, { actor, action: 'backup.make', subject: id, detail: { out: basename(order.out) } }, nowMs));
}

/** Of a moment before the end of the backup: what it holds is at least this. */
async function factsOf(db: Db): Promise<Told> {
  const [engine] = await db.query<{ server_version: string }>('SHOW server_version');
  const migrations = await db.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY number');
  const [root] = await db.query<{ version: number | null }>('SELECT max(version) AS version FROM roots');
  const packages = await db.query<{ sha256: string }>('SELECT sha256 FROM packages ORDER BY sha256');
  return {
    engine: engine?.server_version ?? '',
    migrations: migrations.map(({ name }) => name),
    audit: (await newestAuditHead(db)) ?? null,
    rootVersion: root?.version ?? 0,
    packages: packages.map(({ sha256 }) => sha256),
  };
}

/** Everything but the database. What is listed may go before it is copied; what comes later is not needed. */
function filesBeside(folder: DataFolder, configFile: string | undefined): { from: string; to: string }[] {
  return [
    ...filesIn(folder.packages, 'packages', (name) => /^[0-9a-f]{64}$/.test(name)),
    ...filesIn(folder.bundles, 'bundles', () => true),
    ...filesIn(folder.pki, 'pki', () => true),
    ...(existsSync(folder.auditHeads) ? [{ from: folder.auditHeads, to: 'audit-heads' }] : []),
    ...(configFile !== undefined && existsSync(configFile) ? [{ from: configFile, to: 'config.json' }] : []),
  ];
}

function filesIn(place: string, to: string, isWanted: (name: string) => boolean): { from: string; to: string }[] {
  if (!existsSync(place)) return [];
  return readdirSync(place, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isWanted(entry.name))
    .map(({ name }) => ({ from: join(place, name), to: `${to}/${name}` }));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

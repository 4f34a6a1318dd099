/** `tsugite-server restore`: a new data folder from a backup. The server that starts on it publishes nothing until the operator confirms. */
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { type Backup, openBackup, verifyRoom } from '../adapters/backup-folder.ts';
import { beginRestore, type DataFolder, dataFolder, finishDataFolder, makeRoot } from '../adapters/data-folder.ts';
import { lockDataFolder } from '../adapters/data-lock.ts';
import { databaseAccount } from '../adapters/embedded-postgres.ts';
import { loadMigrations } from '../adapters/migrations.ts';
import { preparePostgres } from '../adapters/postgres-binaries.ts';
import { adoptCluster, makeClusterFolder, verifyEngine } from '../adapters/postgres-cluster.ts';
import { findPostgresHome } from '../adapters/postgres-home.ts';
import { syncFileSystem } from '../adapters/sync.ts';
import type { ServerConfig } from '../config.ts';
import type { Actor } from '../flows/actor.ts';
import { readChain } from '../flows/audit-log.ts';
import { holdPublication } from '../flows/publication-hold.ts';
import type { Clock, Db, Log } from '../ports.ts';
import type { ChainVerdict } from '../rules/audit-check.ts';
import { openServerDatabase } from './database.ts';

export type RestoreOrder = {
  readonly backup: string;
  /** Of the backup's manifest, when it was kept elsewhere. */
  readonly sha256: string | undefined;
  readonly dir: string;
  /** Reads the settings that the backup brought, or those that somebody named. */
  readonly loadConfig: (own: string) => ServerConfig;
  readonly person: string;
  readonly progress: (doneBytes: number, allBytes: number) => void;
};
export type RestoredServer = {
  readonly data: string;
  readonly backup: string;
  readonly madeAt: string;
  readonly rootVersion: number;
  readonly audit: ChainVerdict;
  readonly missingPackages: readonly string[];
};
type Parts = { readonly clock: Clock; readonly log: Log };

/** @throws TsugiteError BACKUP_UNUSABLE · FILE_EXISTS · DATABASE_UNSUITABLE (engine) · DATABASE_ELSEWHERE · DISK_FULL; `dir` is then no installation */
export async function restore(order: RestoreOrder, parts: Parts): Promise<RestoredServer> {
  const backup = await openBackup(order.backup, order.sha256);
  verifyKnown(backup);
  for (const { path } of backup.manifest.files) placeOf(path, dataFolder(order.dir), '');
  const folder = dataFolder(order.dir);
  makeRoot(folder);
  const lock = lockDataFolder(folder.lock, folder.root);
  try {
    await verifyRoom(folder.root, backup.totalBytes);
    beginRestore(folder);
    const config = await takeFiles(backup, folder, order);
    const restored = await holdDatabase(backup, folder, config, { ...parts, person: order.person });
    syncFileSystem(folder.root);
    finishDataFolder(folder, parts.clock.nowMs());
    const { id, madeAt, rootVersion } = backup.manifest;
    return { data: folder.root, backup: id, madeAt, rootVersion, ...restored };
  } finally {
    lock.release();
  }
}

/** Reads everything once, and writes nothing. */
export async function verifyBackup(place: string, sha256: string | undefined, progress: RestoreOrder['progress']): Promise<Backup> {
  const backup = await openBackup(place, sha256);
  await takeAll(backup, () => undefined, progress);
  return backup;
}

function verifyKnown({ folder, manifest: { database } }: Backup): void {
  if (database.kind === 'elsewhere') return;
  const known = new Set(loadMigrations().map(({ name }) => name));
  const unknown = database.migrations.find((name) => !known.has(name));
  if (unknown !== undefined) throw new TsugiteError('BACKUP_UNUSABLE', { kind: 'newer', path: folder, at: unknown });
}

async function takeFiles(backup: Backup, folder: DataFolder, order: RestoreOrder): Promise<ServerConfig> {
  const isEmbedded = backup.manifest.database.kind === 'embedded';
  // The settings first: they say where the database is, and whose its files are.
  const own = backup.manifest.files.find(({ path }) => path === 'config.json');
  if (own !== undefined) await backup.take(own, folder.config);
  const config = order.loadConfig(folder.config);
  if (isEmbedded && config.database.url !== undefined) throw new TsugiteError('USAGE_WRONG', { at: 'DATABASE_URL' });
  if (!isEmbedded && config.database.url === undefined) throw new TsugiteError('DATABASE_ELSEWHERE', { kind: 'restore' });

  const cluster = isEmbedded ? prepareCluster(backup, folder, config) : undefined;
  await takeAll(backup, ({ path }) => (path === 'config.json' ? 'skip' : placeOf(path, folder, cluster?.path)), order.progress);
  if (cluster !== undefined) {
    verifyEngine(cluster.path, cluster.programsVersion);
    adoptCluster(cluster.path, cluster.account);
    syncFileSystem(cluster.path);
  }
  return config;
}

function prepareCluster({ manifest }: Backup, folder: DataFolder, config: ServerConfig) {
  const account = databaseAccount(config.database.account);
  const home = findPostgresHome(folder.root, account);
  const { version } = preparePostgres(account, home);
  const path = join(home, 'cluster');
  const below = 'database/';
  makeClusterFolder(
    path,
    manifest.folders.filter((one) => one.startsWith(below)).map((one) => one.slice(below.length)),
  );
  return { account, path, programsVersion: version };
}

/**
 * A backup has these rooms and no other.
 *
 * @throws TsugiteError BACKUP_UNUSABLE
 */
function placeOf(path: string, folder: DataFolder, cluster: string | undefined): string {
  const [room, ...rest] = path.split('/');
  const below = rest.join('/');
  switch (room) {
    case 'database':
      if (cluster !== undefined && below !== '') return join(cluster, below);
      break;
    case 'packages':
    case 'bundles':
    case 'pki':
      if (rest.length === 1) return join(folder[room], below);
      break;
    case 'audit-heads':
      if (rest.length === 0) return folder.auditHeads;
      break;
    case 'config.json':
      if (rest.length === 0) return folder.config;
  }
  throw new TsugiteError('BACKUP_UNUSABLE', { path, at: path });
}

type File = Backup['manifest']['files'][number];

/** @param place  where a file goes; undefined: it is only proven */
async function takeAll(
  backup: Backup,
  place: (file: File) => string | 'skip' | undefined,
  progress: RestoreOrder['progress'],
): Promise<void> {
  let doneBytes = 0;
  for (const file of backup.manifest.files) {
    const to = place(file);
    if (to !== 'skip') await backup.take(file, to);
    doneBytes += file.bytes;
    progress(doneBytes, backup.totalBytes);
  }
}

/** The database recovers, is brought up to date, is compared with what the backup says of it, and is held. */
async function holdDatabase(
  { manifest, folder: place }: Backup,
  folder: DataFolder,
  config: ServerConfig,
  { clock, log, person }: Parts & { person: string },
): Promise<Pick<RestoredServer, 'audit' | 'missingPackages'>> {
  const { db, close } = await openServerDatabase(folder, config, { clock, log });
  try {
    // A database that was backed up by other means was so before the rest: it need not know the rest's head.
    const head = manifest.database.kind === 'embedded' ? manifest.audit : null;
    const audit = await readChain(db, head === null ? [] : [head]);
    if (head !== null && audit.headsHeld === 0) throw new TsugiteError('BACKUP_UNUSABLE', { path: place, at: 'audit' });
    const actor: Actor = { name: `local:${person}`, role: 'operator' };
    const { id, madeAt } = manifest;
    await db.tx((sql) => holdPublication(sql, { why: 'restored', backup: { id, madeAt } }, { actor, nowMs: clock.nowMs() }));
    return { audit, missingPackages: await missingPackages(db, manifest.files) };
  } finally {
    await close();
  }
}

async function missingPackages(db: Db, files: readonly File[]): Promise<string[]> {
  const has = new Set(files.map(({ path }) => path));
  const rows = await db.query<{ sha256: string }>('SELECT sha256 FROM packages ORDER BY sha256');
  return rows.map(({ sha256 }) => sha256).filter((sha256) => !has.has(`packages/${sha256}`));
}

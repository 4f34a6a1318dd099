/**
 * A copy of the database's files while it is written to, that recovers to one moment (PostgreSQL 15, §26.3.3 "Making a non-exclusive low-level
 * backup"): between start and stop the files may be copied in any order; the WAL of that time makes them one.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Connection } from './database.ts';

/** Made anew at each start: only the folder itself is wanted (§26.3.3.2). */
const emptied = new Set(['pg_dynshmem', 'pg_notify', 'pg_replslot', 'pg_serial', 'pg_snapshots', 'pg_stat_tmp', 'pg_subtrans', 'pg_wal']);
const leftOut = /^(postmaster\.(pid|opts)|backup_label|tablespace_map|backup_manifest|pg_internal\.init.*|pgsql_tmp.*)$/;
/** Copied last: it says from where recovery starts when there is no label. */
const control = 'global/pg_control';

export type ClusterFiles = { readonly folders: readonly string[]; readonly files: readonly string[] };
export type Stopped = { readonly label: string; readonly wal: readonly string[] };
export type BackupSession = {
  start(name: string): Promise<void>;
  /** @returns the label, and the WAL files that the copy needs; they stay until `close` */
  stop(): Promise<Stopped>;
  close(): Promise<void>;
};

/** One connection for the whole backup: PostgreSQL ends the backup, and lets go of the WAL, when it is lost. */
export async function openBackupSession(connection: Connection, cluster: string): Promise<BackupSession> {
  const client = new pg.Client({ ...connection, application_name: 'tsugite-server backup' });
  let lost: Error | undefined;
  client.on('error', (error) => {
    lost = error;
  });
  await client.connect();
  const query = async <R extends object>(text: string, params: readonly unknown[] = []) => {
    if (lost !== undefined) throw new TsugiteError('DATABASE_UNAVAILABLE', {}, { cause: lost });
    return (await client.query(text, params as unknown[])).rows as R[];
  };
  return {
    start: async (name) => {
      // A temporary slot keeps the WAL from here on, and goes with this connection, however it ends.
      await query('SELECT pg_create_physical_replication_slot($1, true, true)', [`tsugite_backup_${process.pid}`]);
      await query('SELECT pg_backup_start($1, true)', [name]);
    },
    stop: async () => {
      const [stopped] = await query<{ last: string; label: string; spaces: string | null }>(
        'SELECT pg_walfile_name(lsn) AS last, labelfile AS label, spcmapfile AS spaces FROM pg_backup_stop(false)',
      );
      if (stopped === undefined) throw new Error('pg_backup_stop gave no answer');
      if (stopped.spaces !== null && stopped.spaces !== '') throw new Error('the database has tablespaces, which a backup does not hold');
      const first = /\(file ([0-9A-F]{24})\)/.exec(stopped.label)?.[1];
      if (first === undefined) throw new Error(`no WAL file in the label: ${stopped.label}`);
      return { label: stopped.label, wal: await walFiles(cluster, first, stopped.last) };
    },
    close: () => client.end(),
  };
}

/** What of a cluster belongs into a backup, as paths below it. */
export async function listCluster(cluster: string): Promise<ClusterFiles> {
  const folders: string[] = [];
  const files: string[] = [];
  const walk = async (folder: string): Promise<void> => {
    for (const entry of await readdir(join(cluster, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (leftOut.test(entry.name)) continue;
      if (entry.isFile()) files.push(path);
      if (!entry.isDirectory()) continue;
      folders.push(path);
      if (!emptied.has(path)) await walk(path);
    }
  };
  await walk('');
  return { folders, files: [...files.filter((path) => path !== control), control] };
}

async function walFiles(cluster: string, first: string, last: string): Promise<string[]> {
  const names = (await readdir(join(cluster, 'pg_wal')))
    .filter((name) => /^[0-9A-F]{24}$/.test(name) && name >= first && name <= last)
    .sort();
  if (names[0] !== first || names.at(-1) !== last) throw new Error(`WAL ${first} to ${last} is not there any more`);
  return names.map((name) => `pg_wal/${name}`);
}

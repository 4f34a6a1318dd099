import type { DataFolder } from '../adapters/data-folder.ts';
import { openDatabase } from '../adapters/database.ts';
import { startEmbeddedPostgres } from '../adapters/embedded-postgres.ts';
import { migrate } from '../adapters/migrations.ts';
import type { ServerConfig } from '../config.ts';
import type { Clock, Db, Log } from '../ports.ts';

export type OpenedDatabase = {
  readonly db: Db;
  /** Resolves when a private PostgreSQL ended, asked or not; never for a database of somebody else. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
};

/** The database that the settings name, or a private one in the data folder; its schema is brought up to date. */
export async function openServerDatabase(
  folder: DataFolder,
  config: ServerConfig,
  { clock, log }: { clock: Clock; log: Log },
): Promise<OpenedDatabase> {
  const onLost = (error: Error) => log.warn('database.connection-lost', { error });
  const { url, account } = config.database;
  const own =
    url === undefined ? await startEmbeddedPostgres({ dataDir: folder.root, accountName: account, onLine: said(log) }) : undefined;
  if (own?.programs.isCopy) log.info('database.programs-copied', { folder: own.programs.folder });
  const db = openDatabase(own?.connection ?? { connectionString: url as string }, { onLost });
  const close = async () => {
    await db.close();
    await own?.stop();
  };
  try {
    const applied = await migrate(db, clock.nowMs());
    if (applied.length > 0) log.info('database.migrated', { applied });
    return { db, ended: own?.ended ?? new Promise(() => {}), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** PostgreSQL's own words: `LOG:` is its everyday talk. */
function said(log: Log): (line: string) => void {
  return (line) => (line.startsWith('LOG:') ? log.info('database.said', { line }) : log.warn('database.said', { line }));
}

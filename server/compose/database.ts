import { keyidOf } from '../../protocol/dsse.ts';
import { type DataFolder, loadPrivateKey } from '../adapters/data-folder.ts';
import { asDatabaseError, type Connection, describeDatabase, openDatabase } from '../adapters/database.ts';
import { startEmbeddedPostgres } from '../adapters/embedded-postgres.ts';
import { migrate } from '../adapters/migrations.ts';
import type { ServerConfig } from '../config.ts';
import { verifyNoticeKey } from '../flows/trust-in-force.ts';
import type { Clock, Db, Log } from '../ports.ts';
import { verifySuitable } from '../rules/database-fault.ts';

export type OpenedDatabase = {
  readonly db: Db;
  /** For what needs a connection of its own. */
  readonly connection: Connection;
  /** Resolves when a private PostgreSQL ended, asked or not; never for a database of somebody else. */
  readonly ended: Promise<void>;
  close(): Promise<void>;
};

/**
 * The database that the settings name, or a private one in the data folder; its schema is brought up to date.
 *
 * @param mayCreate  at init alone: elsewhere a private database that is gone is told, not replaced by an empty one
 * @throws TsugiteError DATABASE_UNAVAILABLE · DATABASE_REFUSED · DATABASE_UNSUITABLE · SCHEMA_UNKNOWN
 */
export async function openServerDatabase(
  folder: DataFolder,
  config: ServerConfig,
  { clock, log, mayCreate = false }: { clock: Clock; log: Log; mayCreate?: boolean },
): Promise<OpenedDatabase> {
  const onLost = (error: Error) => log.warn('database.connection_lost', { error });
  const { url, account } = config.database;
  const own =
    url === undefined
      ? await startEmbeddedPostgres({ dataDir: folder.root, accountName: account, onLine: said(log), mayCreate })
      : undefined;
  if (own?.programs.isCopy) log.info('database.programs_copied', { folder: own.programs.folder });
  const connection = own?.connection ?? { connectionString: url as string };
  const db = openDatabase(connection, { onLost });
  const close = async () => {
    await db.close();
    await own?.stop();
  };
  try {
    verifySuitable(await asDatabaseError(describeDatabase(db)));
    // Before anything is changed in it.
    if (!mayCreate) await verifyNoticeKey(db, keyidOf(loadPrivateKey(folder.noticeKey)));
    const applied = await asDatabaseError(migrate(db, clock.nowMs()));
    if (applied.length > 0) log.info('database.migrated', { applied });
    return { db, connection, ended: own?.ended ?? new Promise(() => {}), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** PostgreSQL's own words: `LOG:` is its everyday talk. */
function said(log: Log): (line: string) => void {
  return (line) => (line.startsWith('LOG:') ? log.info('database.said', { line }) : log.warn('database.warned', { line }));
}

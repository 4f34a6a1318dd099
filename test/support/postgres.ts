import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openDatabase } from '../../server/adapters/database.ts';
import { startEmbeddedPostgres } from '../../server/adapters/embedded-postgres.ts';
import { migrate } from '../../server/adapters/migrations.ts';
import type { Db } from '../../server/ports.ts';

export type TestDatabase = { readonly db: Db; stop(): Promise<void> };

/** A real PostgreSQL of its own with the newest schema, on a throw-away folder (no fsync). About a second: once a test file. */
export async function aDatabase(): Promise<TestDatabase> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'tsugite-pg-'));
  chmodSync(dataDir, 0o711); // PostgreSQL's account passes through; behind a closed folder its files would go to /var/lib
  const postgres = await startEmbeddedPostgres({ dataDir, isThrowaway: true });
  const db = openDatabase(postgres.connection);
  await migrate(db, Date.now());
  return {
    db,
    stop: async () => {
      await db.close();
      await postgres.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

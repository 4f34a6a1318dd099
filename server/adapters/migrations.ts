/** Forward-only schema changes: each file once, in the order of its number, all servers at once. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Db } from '../ports.ts';
import { packageRoot } from './package-root.ts';

/** Any constant: N servers that start together take this advisory lock one after the other. */
const migrationLock = 7_217_483;

export type Migration = { readonly number: number; readonly name: string; readonly sql: string };

export function loadMigrations(folder = join(packageRoot(), 'server', 'migrations')): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}-.+\.sql$/.test(name))
    .sort()
    .map((name) => ({ number: Number(name.slice(0, 4)), name, sql: readFileSync(join(folder, name), 'utf8') }));
}

/**
 * @returns the names that were run now
 * @throws TsugiteError SCHEMA_UNKNOWN: the database is newer than this program, or ran something else than this program would; nothing was changed
 */
export async function migrate(db: Db, nowMs: number, migrations = loadMigrations()): Promise<string[]> {
  return db.tx(async (sql) => {
    await sql.query('SELECT pg_advisory_xact_lock($1)', [migrationLock]);
    await sql.query(`CREATE TABLE IF NOT EXISTS schema_migrations
      (number integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL, applied_at timestamptz NOT NULL)`);
    const applied = await sql.query<{ number: number; name: string; sha256: string }>('SELECT number, name, sha256 FROM schema_migrations');
    const known = new Map(migrations.map((migration) => [migration.number, migration]));
    for (const row of applied) {
      const migration = known.get(row.number);
      if (migration === undefined) throw new TsugiteError('SCHEMA_UNKNOWN', { at: row.name });
      if (digestOf(migration) !== row.sha256) throw new TsugiteError('SCHEMA_UNKNOWN', { kind: 'changed', at: row.name });
    }
    const missing = migrations.filter((migration) => !applied.some((row) => row.number === migration.number));
    const newest = Math.max(0, ...applied.map(({ number }) => number));
    // What came later was written for a schema without it.
    const slippedIn = missing.find(({ number }) => number < newest);
    if (slippedIn !== undefined) throw new TsugiteError('SCHEMA_UNKNOWN', { kind: 'changed', at: slippedIn.name });
    for (const migration of missing) {
      await sql.query(migration.sql);
      await sql.query('INSERT INTO schema_migrations VALUES ($1, $2, $3, $4)', [
        migration.number,
        migration.name,
        digestOf(migration),
        new Date(nowMs),
      ]);
    }
    return missing.map((migration) => migration.name);
  });
}

function digestOf(migration: Migration): string {
  return createHash('sha256').update(migration.sql).digest('hex');
}

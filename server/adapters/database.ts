/** PostgreSQL through `pg`: the one place that knows the driver. */
import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Db, Sql } from '../ports.ts';
import { type DatabaseAbout, databaseFaultOf } from '../rules/database-fault.ts';

const oid = { int8: 20, date: 1082 } as const;
/** PostgreSQL 15, appendix A: serialization_failure, deadlock_detected. */
const worthAnotherTry = new Set(['40001', '40P01']);
const triesPerTransaction = 4;
/** A server that is gone never answers the goodbye. */
const endWithinMs = 2_000;
const listenAgainMs = 1_000;
const connectWithinMs = 30_000; // also for a free one of the pool, when a whole fleet comes back

const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') => {
    if (id === oid.int8) return parseSafeInteger;
    if (id === oid.date) return (text: string) => text;
    return pg.types.getTypeParser(id, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/**
 * What a role or a database may have set otherwise; and the locks of a machine that lost its power are given up within a minute, not in two hours.
 * A pooler in between (PgBouncer) that shares connections among clients cannot carry these, nor LISTEN: docs/operations/database.md.
 */
const session = {
  options: [
    'datestyle=ISO,YMD',
    'timezone=UTC',
    'client_min_messages=warning',
    'tcp_keepalives_idle=30',
    'tcp_keepalives_interval=10',
    'tcp_keepalives_count=3',
  ]
    .map((setting) => `-c ${setting}`)
    .join(' '),
  connectionTimeoutMillis: connectWithinMs,
  keepAlive: true,
  keepAliveInitialDelayMillis: 30_000,
  types,
};

export type Connection =
  | { readonly connectionString: string }
  | { readonly host: string; readonly database: string; readonly user: string };

export function openDatabase(connection: Connection, { maxConnections = 8, onLost = (_: Error) => {} } = {}): Db {
  const pool = new pg.Pool({ ...connection, ...session, max: maxConnections, application_name: 'tsugite-server' });
  // An idle connection that dies emits here; without a listener it would end the process. The next query opens a new one.
  pool.on('error', onLost);
  // `pool.end()` answers before its connections have ended; whoever stops PostgreSQL next would cut them off.
  const ends = new Map<pg.PoolClient, Promise<void>>();
  pool.on('connect', (client) => {
    const ended = new Promise<void>((resolve) => client.once('end', resolve)).then(() => void ends.delete(client));
    ends.set(client, ended);
  });

  /** The transaction that the caller's call stack is in, inside `together`. */
  const around = new AsyncLocalStorage<Around>();
  const listeners = new Set<{ close(): Promise<void> }>();
  const db: Db = {
    query: async <R extends object>(text: string, params: readonly unknown[] = []) =>
      around.getStore()?.sql.query<R>(text, params) ?? ((await pool.query(text, params as unknown[])).rows as R[]),
    tx: async (work) => {
      const outer = around.getStore();
      return outer === undefined ? withTries(() => transaction(pool, work)) : savepoint(outer, work);
    },
    together: (work) => withTries(() => transaction(pool, (sql) => around.run({ sql, savepoints: 0 }, () => work(sql)))),
    listen: async (channel, heard) => {
      const listener = await keepListening(connection, channel, heard, onLost);
      listeners.add(listener);
      return listener;
    },
    close: async () => {
      await Promise.all([...listeners].map((listener) => listener.close()));
      await pool.end();
      await Promise.race([Promise.all(ends.values()), new Promise((resolve) => setTimeout(resolve, endWithinMs).unref())]);
    },
  };
  return db;
}

async function withTries<T>(run: () => Promise<T>): Promise<T> {
  for (let left = triesPerTransaction - 1; ; left -= 1) {
    try {
      return await run();
    } catch (error) {
      if (left === 0 || !worthAnotherTry.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

type Around = { readonly sql: Sql; savepoints: number };

async function savepoint<T>(around: Around, work: (sql: Sql) => Promise<T>): Promise<T> {
  around.savepoints += 1;
  const name = `part_${around.savepoints}`;
  await around.sql.query(`SAVEPOINT ${name}`);
  try {
    const result = await work(around.sql);
    await around.sql.query(`RELEASE SAVEPOINT ${name}`);
    return result;
  } catch (error) {
    await around.sql.query(`ROLLBACK TO SAVEPOINT ${name}`).catch(() => {}); // a lost connection rolls everything back
    throw error;
  }
}

/** @throws Error of the driver */
export async function describeDatabase(db: Sql): Promise<DatabaseAbout> {
  const [about] = await db.query<DatabaseAbout>(
    `SELECT current_setting('server_version_num')::int AS version, pg_encoding_to_char(encoding) AS encoding, datcollate AS collation,
       coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') AS provider, pg_is_in_recovery() OR current_setting('default_transaction_read_only') = 'on' AS "isReadOnly",
       coalesce(has_schema_privilege(current_schema(), 'CREATE'), false) AS "mayCreate"
     FROM pg_database d WHERE datname = current_database()`,
  );
  return about as DatabaseAbout;
}

/** Rejects with our own error where a person can do something about it. */
export async function asDatabaseError<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw databaseFaultOf(error) ?? error;
  }
}

async function transaction<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isBroken = false;
  // A connection may be lost between two statements; without a listener that would end the process. The next statement fails by itself.
  const lost = () => {
    isBroken = true;
  };
  client.on('error', lost);
  try {
    await client.query('BEGIN');
    const result = await work({
      query: async <R extends object>(text: string, params: readonly unknown[] = []) =>
        (await client.query(text, params as unknown[])).rows as R[],
    });
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      isBroken = true;
    });
    throw error;
  } finally {
    client.off('error', lost);
    client.release(isBroken);
  }
}

async function keepListening(connection: Connection, channel: string, heard: (payload: string) => void, onLost: (error: Error) => void) {
  let isClosed = false;
  let client: pg.Client | undefined;
  const open = async () => {
    const next = new pg.Client({ ...connection, ...session, application_name: `tsugite-server ${channel}` });
    let isLost = false;
    const lost = (error: Error) => {
      if (isLost || isClosed || client !== next) return;
      isLost = true;
      onLost(error);
      openLater();
    };
    next.on('error', lost);
    next.on('end', () => lost(new Error('the listening connection ended')));
    next.on('notification', (message) => heard(message.payload ?? ''));
    await next.connect();
    await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`).catch(async (error: Error) => {
      await next.end().catch(() => {});
      throw error;
    });
    if (isClosed) return next.end();
    client = next;
  };
  const openLater = () => {
    setTimeout(() => {
      if (isClosed) return;
      open().then(
        () => heard(''), // what was said while nobody listened is lost: look at the table
        (error: Error) => {
          onLost(error);
          openLater();
        },
      );
    }, listenAgainMs).unref();
  };
  await open();
  return {
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await client?.end();
    },
  };
}

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint beyond 2^53: ${text}`);
  return value;
}

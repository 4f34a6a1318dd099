/** PostgreSQL through `pg`: the one place that knows the driver. */
import { AsyncLocalStorage } from 'node:async_hooks';
import pg from 'pg';
import type { Db, Sql } from '../ports.ts';

const oid = { int8: 20, date: 1082 } as const;
/** PostgreSQL 15, appendix A: serialization_failure, deadlock_detected. */
const worthAnotherTry = new Set(['40001', '40P01']);
const triesPerTransaction = 4;
const listenAgainMs = 1_000;

const types: pg.CustomTypesConfig = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') => {
    if (id === oid.int8) return parseSafeInteger;
    if (id === oid.date) return (text: string) => text;
    return pg.types.getTypeParser(id, format as 'text');
  }) as pg.CustomTypesConfig['getTypeParser'],
};

export type Connection =
  | { readonly connectionString: string }
  | { readonly host: string; readonly database: string; readonly user: string };

export function openDatabase(connection: Connection, { maxConnections = 8, onLost = (_: Error) => {} } = {}): Db {
  const pool = new pg.Pool({ ...connection, max: maxConnections, types, application_name: 'tsugite-server' });
  // An idle connection that dies emits here; without a listener it would end the process. The next query opens a new one.
  pool.on('error', onLost);

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

async function transaction<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let isBroken = false;
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
    client.release(isBroken);
  }
}

async function keepListening(connection: Connection, channel: string, heard: (payload: string) => void, onLost: (error: Error) => void) {
  let isClosed = false;
  let client: pg.Client | undefined;
  const open = async () => {
    const next = new pg.Client({ ...connection, types, application_name: `tsugite-server ${channel}` });
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
    await next.query(`LISTEN ${pg.escapeIdentifier(channel)}`);
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

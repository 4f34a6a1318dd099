import type { Db } from '../ports.ts';

/**
 * Work that one server does for all: whoever holds the lock does it, whoever comes meanwhile leaves it. The lock's own connection does nothing else, so
 * the work may take its time in short transactions beside it, and a server that dies lets go.
 *
 * @param lock  any constant that nothing else uses
 * @returns undefined when somebody else is at it
 */
export async function oneAtATime<T>(db: Db, lock: number, work: () => Promise<T>): Promise<T | undefined> {
  const [outcome] = await db.tx(async (sql) => {
    const [row] = await sql.query<{ free: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS free', [lock]);
    return row?.free === true ? [await work()] : [];
  });
  return outcome;
}

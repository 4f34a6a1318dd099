/** Deletes what is past its time, by the list of rules/personal-data.ts. */
import type { Clock, Db } from '../ports.ts';
import { type DataTable, dataTables, type RetentionDays } from '../rules/personal-data.ts';

const dayMs = 86_400_000;
/** One transaction each: a sweep after a long stop must not hold up a report. */
const rowsAtOnce = 5_000;
/** Swept by their dates alone, children first; customers go as a whole (privacy.ts). */
const datedTables = Object.entries(dataTables)
  .flatMap(([name, table]) => (table.kept.kind === 'days' && name !== 'customers' ? [{ name, kept: table.kept }] : []))
  .reverse();

export function makeSweepRetention({ db, clock, retention }: { db: Db; clock: Clock; retention: RetentionDays }) {
  return async (): Promise<void> => {
    for (const { name, kept } of datedTables) {
      const before = new Date(clock.nowMs() - retention[kept.days] * dayMs);
      while ((await sweepSome(db, name, kept, before)) === rowsAtOnce);
    }
  };
}

async function sweepSome(
  db: Db,
  name: string,
  { from, only }: Extract<DataTable['kept'], { kind: 'days' }>,
  before: Date,
): Promise<number> {
  const condition = only === undefined ? '' : ` AND ${only}`;
  const rows = await db.query(
    `DELETE FROM ${name} WHERE ctid IN (SELECT t.ctid FROM ${name} t WHERE t.${from} < $1${condition} LIMIT ${rowsAtOnce}) RETURNING 1`,
    [before],
  );
  return rows.length;
}

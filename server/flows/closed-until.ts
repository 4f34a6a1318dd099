/** What a closed month forbids: nothing that comes later may have happened so early that it would change what was charged. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { Sql } from '../ports.ts';
import { japanMonth, lastDayOf, monthOfDay } from '../rules/japan-month.ts';

const closingLock = 6_280_417;

/** One close at a time; ends of contracts that happened in an earlier month wait for it. Until the transaction ends. */
export async function lockClosing(sql: Sql): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [closingLock]);
}

/**
 * A contract that ends on a day is charged up to that month, so the month after must still be open.
 *
 * @throws TsugiteError BILLING_MONTH_CLOSED naming that month
 */
export async function verifyMayEndOn(sql: Sql, day: string, nowMs: number): Promise<void> {
  const last = await lastClosed(sql, day, nowMs);
  if (last !== undefined) throw new TsugiteError('BILLING_MONTH_CLOSED', { month: last, day });
}

/** The day on which a contract counts as ended: that of its end, or where it was carried out too late, the last one that was charged already. */
export async function countedEnd(sql: Sql, day: string, nowMs: number): Promise<string> {
  const last = await lastClosed(sql, day, nowMs);
  return last === undefined ? day : lastDayOf(last);
}

/** The newest month that was closed after the month of this day. */
async function lastClosed(sql: Sql, day: string, nowMs: number): Promise<string | undefined> {
  if (monthOfDay(day) >= japanMonth(nowMs)) return undefined;
  await sql.query('SELECT pg_advisory_xact_lock_shared($1)', [closingLock]);
  const [row] = await sql.query<{ month: string | null }>('SELECT max(month) AS month FROM billing_months WHERE month > $1', [
    monthOfDay(day),
  ]);
  return row?.month ?? undefined;
}

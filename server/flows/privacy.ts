/** What a customer may ask for (DOMAIN §12): everything that is held, and that it be erased. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import { purgedFromMs } from '../rules/lease.ts';
import { decideErasure, type ErasureDecision, type Holding, type RetentionDays } from '../rules/personal-data.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { erasureOf, isOf, ownedTables } from './customer-rows.ts';
import { markNoticeDue } from './notice-due.ts';
import { customerOf } from './place.ts';

const dayMs = 86_400_000;
const customersAtOnce = 100;

/** One of the two. */
export type Who = { readonly customerId?: string | undefined; readonly customer?: RandomId | undefined };
export type Disclosed = {
  readonly customer: RandomId;
  readonly disclosedAt: Date;
  /** By table: what it holds, and every row. */
  readonly tables: Readonly<Record<string, { readonly holds: string; readonly rows: readonly Record<string, unknown>[] }>>;
  /** Who read or changed what of this customer, and why. */
  readonly reads: readonly Record<string, unknown>[];
};
export type Erased = {
  readonly customer: RandomId;
  /** False: the rest follows by itself once the gateway has let go. */
  readonly isFinished: boolean;
  readonly finishesAt: Date | null;
  /** Rows by table. */
  readonly erased: Readonly<Record<string, number>>;
};
type Parts = { db: Db; clock: Clock; log: Log; dataGraceDays: number; retention: RetentionDays };

export function makePrivacy({ db, clock, log, dataGraceDays, retention }: Parts) {
  const decideFor = async (sql: Sql, customer: RandomId, nowMs: number): Promise<ErasureDecision> =>
    decideErasure(await holdingsOf(sql, customer), (untilMs) => purgedFromMs(untilMs, dataGraceDays), nowMs);

  async function eraseOne(sql: Sql, customer: RandomId, why: string, actor: Actor): Promise<Erased> {
    const nowMs = clock.nowMs();
    const decision = await decideFor(sql, customer, nowMs);
    if (decision.kind === 'blocked') throw new TsugiteError('ERASURE_BLOCKED', { actual: decision.open });
    const isFinished = decision.kind === 'finish';
    await sql.query(
      `INSERT INTO erasures (customer, requested_at, requested_by, why, finished_at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (customer) DO UPDATE SET finished_at = coalesce(erasures.finished_at, $5)`,
      [customer, new Date(nowMs), actor.name, why, isFinished ? new Date(nowMs) : null],
    );
    const erased = await eraseRows(sql, customer, isFinished, nowMs);
    const detail = { rows: erased, isFinished };
    await appendAudit(sql, { actor, action: 'customer.erase', subject: customer, detail, why }, nowMs);
    return { customer, isFinished, finishesAt: decision.kind === 'begin' ? new Date(decision.finishMs) : null, erased };
  }

  return {
    disclose: (who: Who, why: string, actor: Actor): Promise<Disclosed> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const customer = await customerAt(sql, who);
        const tables: Record<string, Disclosed['tables'][string]> = {};
        for (const table of ownedTables) {
          const rows = await sql.query(`SELECT t.* FROM ${table.name} t WHERE ${isOf(table)} ORDER BY 1`, [customer]);
          tables[table.name] = { holds: table.holds, rows: rows.map(asJson) };
        }
        const reads = await readsOf(sql, customer);
        await appendAudit(sql, { actor, action: 'customer.disclose', subject: customer, why }, nowMs);
        return { customer, disclosedAt: new Date(nowMs), tables, reads };
      }),

    /** @throws TsugiteError NOT_FOUND · CUSTOMER_UNKNOWN · ERASURE_BLOCKED (something is in use) */
    erase: (who: Who, why: string, actor: Actor): Promise<Erased> =>
      db.tx(async (sql) => {
        const customer = await customerAt(sql, who);
        // Orders wait here: nobody begins what is being erased.
        await sql.query('SELECT id FROM sites WHERE customer = $1 ORDER BY created_at, id FOR UPDATE', [customer]);
        return eraseOne(sql, customer, why, actor);
      }),

    /** Finishes what waited for a gateway, and erases whoever has had no contract for longer than customers are kept. */
    sweep: async (): Promise<void> => {
      const nowMs = clock.nowMs();
      const waiting = await db.query<{ customer: RandomId; why: string }>(
        'SELECT customer, why FROM erasures WHERE finished_at IS NULL ORDER BY requested_at LIMIT $1',
        [customersAtOnce],
      );
      const old = await forgottenCustomers(db, new Date(nowMs - retention.customers * dayMs));
      for (const { customer, why } of [...waiting, ...old.map((customer) => ({ customer, why: 'retention' }))]) {
        const done = await db.tx(async (sql) => {
          await sql.query('SELECT id FROM sites WHERE customer = $1 ORDER BY created_at, id FOR UPDATE', [customer]);
          const decision = await decideFor(sql, customer, nowMs);
          return decision.kind === 'finish' ? eraseOne(sql, customer, why, systemActor) : undefined;
        });
        if (done !== undefined) log.info('customer.erased', { customer, why });
      }
    },
  };
}

async function customerAt(sql: Sql, { customerId, customer }: Who): Promise<RandomId> {
  if (customerId !== undefined) return customerOf(sql, customerId);
  const [row] = await sql.query<{ id: RandomId }>('SELECT id FROM customers WHERE id = $1', [customer]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: 'customer' });
  return row.id;
}

function holdingsOf(sql: Sql, customer: RandomId): Promise<Holding[]> {
  return sql
    .query<{ endedAt: Date | null; leasedUntil: Date | null; isPurged: boolean }>(
      `SELECT t.ended_at AS "endedAt", t.entitled_until AS "leasedUntil", t.purged_at IS NOT NULL AS "isPurged"
       FROM targets t JOIN sites s ON s.id = t.site_id WHERE s.customer = $1`,
      [customer],
    )
    .then((rows) =>
      rows.map(({ endedAt, leasedUntil, isPurged }) => ({
        endedMs: endedAt?.getTime(),
        leasedUntilMs: leasedUntil?.getTime(),
        isPurged,
      })),
    );
}

/** Children first, so that nothing points at what is gone. */
async function eraseRows(sql: Sql, customer: RandomId, isFinished: boolean, nowMs: number): Promise<Record<string, number>> {
  await sql.query("SELECT set_config('tsugite.erasing', 'on', true)"); // lets contract events go with the rest, for this transaction
  const gateways = await sql.query<{ id: string }>(
    'SELECT g.id FROM gateways g JOIN sites s ON s.id = g.site_id WHERE s.customer = $1 AND g.replaced_at IS NULL',
    [customer],
  );
  const erased: Record<string, number> = {};
  for (const table of [...ownedTables].reverse()) {
    const erasure = table.isLast === true && !isFinished ? undefined : erasureOf(table);
    if (erasure === undefined) continue;
    const rows = await sql.query(erasure.text, erasure.takesNow ? [customer, new Date(nowMs)] : [customer]);
    if (rows.length > 0) erased[table.name] = rows.length;
  }
  if (isFinished) await markNoticeDue(sql, { gateways: gateways.map(({ id }) => id) }, nowMs);
  return erased;
}

function readsOf(sql: Sql, customer: RandomId): Promise<Record<string, unknown>[]> {
  return sql.query(
    `SELECT at, actor, action, detail FROM audit
     WHERE subject = $1 OR subject IN (SELECT id FROM sites WHERE customer = $1)
       OR subject IN (SELECT t.id FROM targets t JOIN sites s ON s.id = t.site_id WHERE s.customer = $1) ORDER BY seq`,
    [customer],
  );
}

async function forgottenCustomers(sql: Sql, before: Date): Promise<RandomId[]> {
  const rows = await sql.query<{ id: RandomId }>(
    `SELECT c.id FROM customers c WHERE c.customer_id IS NOT NULL AND c.created_at < $1
       AND NOT EXISTS (SELECT 1 FROM targets t JOIN sites s ON s.id = t.site_id WHERE s.customer = c.id AND (t.ended_at IS NULL OR t.ended_at >= $1))
       AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.customer = c.id AND a.state <> 'CLOSED')
       AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.customer = c.id)
     ORDER BY c.created_at LIMIT $2`,
    [before, customersAtOnce],
  );
  return rows.map(({ id }) => id);
}

/** Bytes as base64: a Buffer would be a list of numbers. */
function asJson(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('base64') : value]));
}

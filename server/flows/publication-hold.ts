/**
 * After a restore the server knows less than its gateways have been told since. What it would say now stops whatever was ordered in between, so it
 * says nothing, and does nothing by itself, until the operator confirms (DESIGN §4). The hold stands in the database: every process obeys it.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Log, Random, Sql } from '../ports.ts';
import { type AuditHead, type KeptHead, noHead } from '../rules/audit-chain.ts';
import { restoreAction } from '../rules/audit-check.ts';
import { type Actor, systemActor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { newestAuditHead } from './keep-audit-head.ts';

const setting = 'publication.hold';
const gatewaysPerStep = 1_000;
/** Longer than any gateway is away that still has a lease. */
const resyncWithinMs = 37 * 86_400_000;
const resyncBytes = 16_384;

export type Hold = {
  /** `restored`: by the verb. `went-back`: the database lacks what this server has seen in it, so somebody else restored it. */
  readonly why: 'restored' | 'went-back';
  readonly since: string;
  /** The end of the audit log at that time. */
  readonly base: AuditHead;
  readonly backup?: { readonly id: string; readonly madeAt: string };
};

export async function publicationHold(sql: Sql): Promise<Hold | undefined> {
  const [row] = await sql.query<{ value: Hold }>('SELECT value FROM settings WHERE name = $1', [setting]);
  return row?.value;
}

export async function isPublicationHeld(sql: Sql): Promise<boolean> {
  return (await publicationHold(sql)) !== undefined;
}

export async function holdPublication(
  sql: Sql,
  { why, backup }: Pick<Hold, 'why' | 'backup'>,
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<Hold> {
  const hold: Hold = {
    why,
    since: new Date(nowMs).toISOString(),
    base: (await newestAuditHead(sql)) ?? noHead,
    ...(backup === undefined ? {} : { backup }),
  };
  await sql.query(
    'INSERT INTO settings (name, value, changed_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET value = $2, changed_at = $3',
    [setting, hold, new Date(nowMs)],
  );
  await appendAudit(sql, { actor, action: restoreAction, subject: backup?.id ?? 'database', detail: { why, base: hold.base } }, nowMs);
  return hold;
}

/**
 * At the server's start: a database that lacks the head which this server kept last was restored, or cut, by somebody who did not say so.
 *
 * @returns the hold in force, from now or before
 */
export async function holdIfWentBack({ db, clock, heads }: { db: Db; clock: Clock; heads: AuditHeads }): Promise<Hold | undefined> {
  const last = (await heads.kept()).at(-1);
  return db.tx(async (sql) => {
    const hold = await publicationHold(sql);
    if (hold !== undefined || last === undefined || (await isExplained(sql, last))) return hold;
    return holdPublication(sql, { why: 'went-back' }, { actor: systemActor, nowMs: clock.nowMs() });
  });
}

async function isExplained(sql: Sql, { seq, hash, at }: KeptHead): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM audit WHERE seq = $1 AND hash = $2
     UNION ALL SELECT 1 FROM audit WHERE action = $3 AND at >= $4 AND (detail #>> '{base,seq}')::bigint < $1`,
    [seq, hash, restoreAction, at ?? new Date(0)],
  );
  return rows.length > 0;
}

export function makePublicationHold({ db, clock, random, log }: { db: Db; clock: Clock; random: Random; log: Log }) {
  return {
    /** What the operator looks at before confirming. `ahead`: gateways that have applied a notice which this database does not know. */
    show: async () => {
      const [counts] = await db.query<{ gateways: number; ahead: number }>(
        `SELECT count(*) AS gateways, count(*) FILTER (WHERE applied_version > notice_version) AS ahead FROM gateways WHERE replaced_at IS NULL`,
      );
      const hold = await publicationHold(db);
      return { isHeld: hold !== undefined, gateways: counts?.gateways ?? 0, ahead: counts?.ahead ?? 0, ...hold };
    },

    /**
     * Every gateway gets a new notice, above whatever it has applied, with the request to say what it runs.
     *
     * @throws TsugiteError STATE_FORBIDS when nothing is held
     */
    confirm: async (reason: string, actor: Actor): Promise<{ gateways: number }> => {
      const nowMs = clock.nowMs();
      const gateways = await db.tx(async (sql) => {
        const released = await sql.query<{ value: Hold }>('DELETE FROM settings WHERE name = $1 RETURNING value', [setting]);
        if (released[0] === undefined) throw new TsugiteError('STATE_FORBIDS', { state: 'published', action: 'restore confirm' });
        const count = await askAllAnew(sql, { random, actor, nowMs });
        const { why, base } = released[0].value;
        await appendAudit(
          sql,
          { actor, action: 'restore.confirm', subject: 'database', detail: { why, base, gateways: count, reason } },
          nowMs,
        );
        return count;
      });
      log.info('publication.confirmed', { gateways, actor: actor.name });
      return { gateways };
    },
  };
}

async function askAllAnew(sql: Sql, { random, actor, nowMs }: { random: Random; actor: Actor; nowMs: number }): Promise<number> {
  let count = 0;
  for (let after: GatewayId | undefined = '' as GatewayId; after !== undefined; ) {
    const rows: { id: GatewayId }[] = await sql.query<{ id: GatewayId }>(
      'SELECT id FROM gateways WHERE replaced_at IS NULL AND id > $1 ORDER BY id LIMIT $2 FOR UPDATE',
      [after, gatewaysPerStep],
    );
    const ids = rows.map(({ id }) => id);
    await insertResyncs(
      sql,
      ids.map((gateway) => ({ gateway, request: random.id() })),
      { actor, nowMs },
    );
    await sql.query(
      'UPDATE gateways SET notice_version = greatest(notice_version, coalesce(applied_version, 0)), notice_due_at = $2 WHERE id = ANY($1)',
      [ids, new Date(nowMs)],
    );
    count += ids.length;
    after = ids.at(-1);
  }
  await sql.query(`SELECT pg_notify('tsugite_notice_due', '')`);
  return count;
}

async function insertResyncs(
  sql: Sql,
  requests: readonly { gateway: GatewayId; request: RandomId }[],
  { actor, nowMs }: { actor: Actor; nowMs: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO gateway_requests (id, gateway_id, kind, max_bytes, created_by, created_at, expires_at)
     SELECT request, gateway, 'resync', $3, $4, $5, $6 FROM unnest($1::text[], $2::text[]) AS asked (request, gateway)`,
    [
      requests.map(({ request }) => request),
      requests.map(({ gateway }) => gateway),
      resyncBytes,
      actor.name,
      new Date(nowMs),
      new Date(nowMs + resyncWithinMs),
    ],
  );
}

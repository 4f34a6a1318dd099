/** Changes that need a second person (DESIGN §4): held here, looked at, approved or declined. Nothing of them has happened before. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { Clock, Db, Random, Sql } from '../ports.ts';
import { approvalHours, decideApproval, mostWithoutApproval } from '../rules/guard.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Page, pageOf, rowsFor } from './page.ts';

export type ChangeKind = 'contract-day' | 'prohibit' | 'withdraw' | 'cancel';
export type Proposal = {
  readonly kind: ChangeKind;
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Exactly these would end. */
  readonly targets: readonly RandomId[];
  readonly proposers: readonly RandomId[];
};
export type Held = { readonly change: RandomId; readonly actual: number; readonly limit: number; readonly expires: Date };
export type ApprovedChange = {
  readonly id: RandomId;
  readonly kind: ChangeKind;
  readonly subject: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly targets: readonly RandomId[];
};

/** @returns undefined when one person may do it */
export async function holdIfMuch(
  sql: Sql,
  proposal: Proposal,
  { random, actor, nowMs }: { random: Random; actor: Actor; nowMs: number },
): Promise<Held | undefined> {
  const [open] = await sql.query<{ count: number }>('SELECT count(*) AS count FROM targets WHERE ended_at IS NULL');
  const limit = mostWithoutApproval(open?.count ?? 0);
  const actual = proposal.targets.length;
  if (actual <= limit) return undefined;
  const targets = [...proposal.targets].sort();
  const [same] = await sql.query<{ change: RandomId; expires: Date }>(
    `SELECT id AS change, expires_at AS expires FROM pending_changes
     WHERE kind = $1 AND subject = $2 AND targets = $3 AND ((decision IS NULL AND expires_at > $4) OR (decision = 'declined' AND $5)) LIMIT 1`,
    // What was declined, the program does not ask for again by itself; a person may.
    [proposal.kind, proposal.subject, targets, new Date(nowMs), actor.token === undefined],
  );
  if (same !== undefined) return { ...same, actual, limit };
  const change = random.id();
  const expires = new Date(nowMs + approvalHours * 3_600_000);
  await sql.query(
    `INSERT INTO pending_changes (id, kind, subject, detail, targets, most, proposed_by, proposers, created_at, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      change,
      proposal.kind,
      proposal.subject,
      proposal.detail ?? {},
      targets,
      limit,
      actor.name,
      [...new Set(proposal.proposers)],
      new Date(nowMs),
      expires,
    ],
  );
  await appendAudit(
    sql,
    { actor, action: 'change.hold', subject: change, detail: { kind: proposal.kind, of: proposal.subject, targets: actual, limit } },
    nowMs,
  );
  return { change, actual, limit, expires };
}

export function heldError(held: Held, more: Readonly<Record<string, unknown>> = {}): TsugiteError {
  return new TsugiteError('APPROVAL_REQUIRED', { ...held, ...more });
}

export type ChangeWork = {
  /** In the transaction of the decision. */
  readonly approved: (sql: Sql, change: ApprovedChange, actor: Actor, nowMs: number) => Promise<void>;
  readonly declined: (sql: Sql, change: ApprovedChange, actor: Actor, nowMs: number) => Promise<void>;
  /** Once an approval is committed; what is not finished here, the next look of the day's end finishes. */
  readonly afterApproval: (change: ApprovedChange, actor: Actor) => Promise<Readonly<Record<string, unknown>>>;
};

export function makePendingChanges({ db, clock, work }: { db: Db; clock: Clock; work: Readonly<Record<ChangeKind, ChangeWork>> }) {
  return {
    /** The newest first. */
    list: async (page: Page) => {
      const rows = await db.query<{ change: RandomId }>(
        `${changeQuery} WHERE $2::text IS NULL OR (created_at, id) < (SELECT created_at, id FROM pending_changes WHERE id = $2)
         ORDER BY created_at DESC, id DESC LIMIT $3`,
        [new Date(clock.nowMs()), page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'change');
    },

    show: async (change: RandomId): Promise<Record<string, unknown>> => {
      const [row] = await db.query(`${changeQuery} WHERE id = $2`, [new Date(clock.nowMs()), change]);
      if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `change ${change}` });
      return row;
    },

    targets: async (change: RandomId, page: Page) => {
      const rows = await db.query<{ target: RandomId }>(
        `SELECT t.id AS target, t.software_id AS software, t.provider_id AS provider, t.state, g.id AS gateway
         FROM targets t LEFT JOIN gateways g ON g.site_id = t.site_id AND g.replaced_at IS NULL
         WHERE t.id = ANY((SELECT targets FROM pending_changes WHERE id = $1)::text[]) AND ($2::text IS NULL OR t.id > $2)
         ORDER BY t.id LIMIT $3`,
        [change, page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'target');
    },

    /** @throws TsugiteError NOT_FOUND · STATE_FORBIDS (decided or expired) · APPROVAL_SAME_HAND */
    approve: async (change: RandomId, actor: Actor): Promise<Record<string, unknown>> => {
      const approved = await db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const row = await lockChange(sql, change);
        const decision = decideApproval(
          { ...row, expiresMs: row.expires.getTime(), approver: tokenOf(actor), issuerOf: await issuersOf(sql) },
          nowMs,
        );
        if (decision.kind === 'refuse') {
          if (decision.why === 'same-hand') throw new TsugiteError('APPROVAL_SAME_HAND', { change });
          throw new TsugiteError('STATE_FORBIDS', { state: decision.why, action: 'approve' });
        }
        await decide(sql, row, 'approved', actor, nowMs);
        await work[row.kind].approved(sql, row, actor, nowMs);
        return row;
      });
      const done = await work[approved.kind].afterApproval(approved, actor);
      return { change, decision: 'approved', kind: approved.kind, subject: approved.subject, ...done };
    },

    decline: async (change: RandomId, actor: Actor): Promise<Record<string, unknown>> =>
      db.tx(async (sql) => {
        const row = await lockChange(sql, change);
        if (row.decision !== null) throw new TsugiteError('STATE_FORBIDS', { state: row.decision, action: 'decline' });
        const nowMs = clock.nowMs();
        await decide(sql, row, 'declined', actor, nowMs);
        await work[row.kind].declined(sql, row, actor, nowMs);
        return { change, decision: 'declined', kind: row.kind, subject: row.subject };
      }),
  };
}

const changeQuery = `SELECT id AS change, kind, subject, detail, cardinality(targets) AS count, most AS "limit", proposed_by AS "proposedBy",
  created_at AS "createdAt", expires_at AS expires, decided_by AS "decidedBy", decided_at AS "decidedAt",
  coalesce(decision, CASE WHEN expires_at <= $1 THEN 'expired' ELSE 'waiting' END) AS state FROM pending_changes`;

type Row = ApprovedChange & {
  readonly proposers: RandomId[];
  readonly decision: 'approved' | 'declined' | null;
  readonly expires: Date;
};

async function lockChange(sql: Sql, change: RandomId): Promise<Row> {
  const [row] = await sql.query<Row>(
    'SELECT id, kind, subject, detail, targets, proposers, decision, expires_at AS expires FROM pending_changes WHERE id = $1 FOR UPDATE',
    [change],
  );
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `change ${change}` });
  return row;
}

async function decide(sql: Sql, { id, kind, subject }: Row, decision: 'approved' | 'declined', actor: Actor, nowMs: number): Promise<void> {
  await sql.query('UPDATE pending_changes SET decision = $2, decided_at = $3, decided_by = $4 WHERE id = $1', [
    id,
    decision,
    new Date(nowMs),
    actor.name,
  ]);
  const action = decision === 'approved' ? 'change.approve' : 'change.decline';
  await appendAudit(sql, { actor, action, subject: id, detail: { kind, of: subject } }, nowMs);
}

/** The program itself is nobody's second person. */
function tokenOf({ token }: Actor): RandomId {
  if (token === undefined) throw new TsugiteError('API_FORBIDDEN', { role: 'system' });
  return token;
}

async function issuersOf(sql: Sql): Promise<ReadonlyMap<RandomId, RandomId>> {
  const rows = await sql.query<{ id: RandomId; issuer: RandomId }>(
    'SELECT id, created_by AS issuer FROM api_tokens WHERE created_by IS NOT NULL',
  );
  return new Map(rows.map(({ id, issuer }) => [id, issuer]));
}

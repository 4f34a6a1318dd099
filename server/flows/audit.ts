/** The append-only, hash-chained log of who changed or read what. Each row carries the hash of the one before. */
import { createHash } from 'node:crypto';
import type { Sql } from '../ports.ts';
import type { Actor } from './actor.ts';

export type AuditEntry = {
  readonly actor: Actor;
  /** `software.admit`, `customer.read`, … */
  readonly action: string;
  /** Id of what was changed; a customer by its random id, never by its お客さまID. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
};

export const firstPrevHash = '0'.repeat(64);
const chainLock = 5_163_009; // one writer at a time: the chain has no forks

export async function appendAudit(sql: Sql, entry: AuditEntry, atMs: number): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [chainLock]);
  const [last] = await sql.query<{ seq: number; hash: string }>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const row = {
    seq: (last?.seq ?? 0) + 1,
    at: new Date(atMs),
    actor: entry.actor.name,
    action: entry.action,
    subject: entry.subject,
    detail: entry.detail ?? {},
    prevHash: last?.hash ?? firstPrevHash,
  };
  await sql.query('INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)', [
    row.seq,
    row.at,
    row.actor,
    row.action,
    row.subject,
    row.detail,
    row.prevHash,
    auditHash(row),
  ]);
}

export type AuditRow = {
  readonly seq: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: unknown;
  readonly prevHash: string;
};

export function auditHash({ seq, at, actor, action, subject, detail, prevHash }: AuditRow): string {
  const text = JSON.stringify([prevHash, seq, at.toISOString(), actor, action, subject, withSortedKeys(detail)]);
  return createHash('sha256').update(text).digest('hex');
}

/** jsonb does not keep the order of keys, so the hash must not depend on it. */
function withSortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withSortedKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, entry]) => [key, withSortedKeys(entry)]),
  );
}

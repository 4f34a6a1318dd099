/** The append-only, hash-chained log of who changed or read what, and why. Each row carries the hash of the one before. */
import { createHash } from 'node:crypto';
import type { Sql } from '../ports.ts';
import { type AuditRow, auditText, noHead } from '../rules/audit-chain.ts';
import type { Actor } from './actor.ts';

export type AuditEntry = {
  readonly actor: Actor;
  /** `software.admit`, `customer.read`, … */
  readonly action: string;
  /** Id of what was changed or read; a customer by its random id, never by its お客さまID. */
  readonly subject: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** For what customer data were read (DOMAIN §12), in the reader's words; kept as `detail.why`. */
  readonly why?: string | undefined;
};

const chainLock = 5_163_009; // one writer at a time, whichever process: the chain has no forks

/** Takes its lock until the transaction ends, so it comes last in it. */
export async function appendAudit(sql: Sql, { actor, action, subject, detail, why }: AuditEntry, atMs: number): Promise<void> {
  await sql.query('SELECT pg_advisory_xact_lock($1)', [chainLock]);
  const [last = noHead] = await sql.query<{ seq: number; hash: string }>('SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1');
  const row = {
    seq: last.seq + 1,
    at: new Date(atMs),
    actor: actor.name,
    action,
    subject,
    // As it will be read back: a Date, or a field without a value, would hash differently then.
    detail: JSON.parse(JSON.stringify(why === undefined ? (detail ?? {}) : { ...detail, why })) as unknown,
    prevHash: last.hash,
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

export function auditHash(row: AuditRow): string {
  return createHash('sha256').update(auditText(row)).digest('hex');
}

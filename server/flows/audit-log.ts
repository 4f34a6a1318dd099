/** The audit log as people ask for it: a page of its rows, or whether it is still the one that was written. */
import type { AuditHeads } from '../ports/keep.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import type { AuditHead, KeptHead, StoredAuditRow } from '../rules/audit-chain.ts';
import { type ChainVerdict, makeChainReader } from '../rules/audit-check.ts';
import { auditHash } from './audit.ts';
import { keepAuditHead } from './keep-audit-head.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';

/** Few enough that the other requests are served between two looks. */
const rowsPerLook = 500;
const columns = 'seq, at, actor, action, subject, detail, prev_hash AS "prevHash", hash';

export type AuditFilter = {
  readonly actor?: string | undefined;
  /** Whole, or its first words: `customer` finds `customer.read`. */
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  /** Days in Japan, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
};

export function makeAuditLog({ db, clock, heads }: { db: Db; clock: Clock; heads: AuditHeads }) {
  return {
    /** Newest first. */
    list: async (filter: AuditFilter, page: Page<number>): Promise<Listed<StoredAuditRow>> => {
      const rows = await db.query<StoredAuditRow>(
        `SELECT ${columns} FROM audit
         WHERE ($1::bigint IS NULL OR seq < $1) AND ($2::text IS NULL OR actor = $2)
           AND ($3::text IS NULL OR action = $3 OR starts_with(action, $3 || '.')) AND ($4::text IS NULL OR subject = $4)
           AND ($5::date IS NULL OR at >= $5::date::timestamp AT TIME ZONE 'Asia/Tokyo')
           AND ($6::date IS NULL OR at < ($6::date + 1)::timestamp AT TIME ZONE 'Asia/Tokyo')
         ORDER BY seq DESC LIMIT $7`,
        [
          page.after ?? null,
          filter.actor ?? null,
          filter.action ?? null,
          filter.subject ?? null,
          filter.from ?? null,
          filter.to ?? null,
          rowsFor(page),
        ],
      );
      return pageOf(rows, page, 'seq');
    },

    /** Against the heads that were kept here, and those that whoever asks has kept elsewhere. What is found whole is kept as a head in turn. */
    verify: async (told: readonly AuditHead[] = []): Promise<ChainVerdict> => {
      const verdict = await readChain(db, [...(await heads.kept()), ...told]);
      if (verdict.faultCount === 0) await keepAuditHead({ db, clock, heads });
      return verdict;
    },
  };
}

/** The whole log, a few rows at a time: what it needs of memory does not grow with it. */
export async function readChain(sql: Sql, heads: readonly KeptHead[]): Promise<ChainVerdict> {
  const reader = makeChainReader(auditHash, heads);
  const [end] = await sql.query<{ seq: number | null }>('SELECT max(seq) AS seq FROM audit');
  for (let after = 0; after < (end?.seq ?? 0); ) {
    const rows = await sql.query<StoredAuditRow>(`SELECT ${columns} FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2`, [after, rowsPerLook]);
    for (const row of rows) reader.take(row);
    after = rows.at(-1)?.seq ?? Number.MAX_SAFE_INTEGER;
  }
  return reader.verdict();
}

/** The months that were closed, and their invoices. A provider sees its own. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId } from '../../protocol/fields.ts';
import type { Db, Sql } from '../ports.ts';
import type { Actor } from './actor.ts';
import { type DocumentKind, type DocumentSum, fileName, type InvoiceKey, readDocument } from './invoice-documents.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';

export type ClosedMonth = {
  readonly month: string;
  readonly closedAt: Date;
  readonly closedBy: string;
  readonly invoices: number;
  readonly totalYen: number;
  readonly taxYen: number;
  readonly software: number;
  readonly targets: number;
};
export type ListedInvoice = {
  readonly provider: ProviderId;
  readonly number: string;
  readonly totalYen: number;
  readonly taxYen: number;
  readonly lines: number;
  readonly software: number;
  readonly targets: number;
  readonly documents: readonly DocumentSum[];
};

const monthQuery = `SELECT m.month, m.closed_at AS "closedAt", m.closed_by AS "closedBy", count(i.provider_id) AS invoices,
  coalesce(sum(i.total_yen), 0)::bigint AS "totalYen", coalesce(sum(i.tax_yen), 0)::bigint AS "taxYen",
  coalesce(sum(i.software), 0)::bigint AS software, coalesce(sum(i.targets), 0)::bigint AS targets
  FROM billing_months m LEFT JOIN invoices i ON i.month = m.month AND ($1::text IS NULL OR i.provider_id = $1)`;

export function makeClosedMonths({ db }: { db: Db }) {
  return {
    list: async (actor: Actor, page: Page): Promise<Listed<ClosedMonth>> => {
      const rows = await db.query<ClosedMonth>(
        `${monthQuery} WHERE $2::text IS NULL OR m.month > $2 GROUP BY m.month ORDER BY m.month LIMIT $3`,
        [ownOnly(actor), page.after ?? null, rowsFor(page)],
      );
      return pageOf(rows, page, 'month');
    },

    show: (month: string, actor: Actor): Promise<ClosedMonth> => showMonth(db, month, actor),

    invoices: async (month: string, actor: Actor, page: Page): Promise<Listed<ListedInvoice>> => {
      await showMonth(db, month, actor);
      const rows = await db.query<Omit<ListedInvoice, 'documents'> & { documents: Omit<DocumentSum, 'file'>[] }>(
        `SELECT i.provider_id AS provider, i.number, i.total_yen AS "totalYen", i.tax_yen AS "taxYen", i.lines, i.software, i.targets,
           (SELECT json_agg(json_build_object('kind', d.kind, 'bytes', d.bytes, 'sha256', d.sha256) ORDER BY d.kind) FROM invoice_documents d
            WHERE d.month = i.month AND d.provider_id = i.provider_id) AS documents
         FROM invoices i WHERE i.month = $1 AND ($2::text IS NULL OR i.provider_id = $2) AND ($3::text IS NULL OR i.provider_id > $3)
         ORDER BY i.provider_id LIMIT $4`,
        [month, ownOnly(actor), page.after ?? null, rowsFor(page)],
      );
      const named = rows.map((row) => ({
        ...row,
        documents: row.documents.map((sum) => ({ ...sum, file: fileName({ month, provider: row.provider }, sum.kind) })),
      }));
      return pageOf(named, page, 'provider');
    },

    document: (key: InvoiceKey, kind: DocumentKind, actor: Actor) => readDocument(db, key, kind, actor),
  };
}

/** @throws TsugiteError NOT_FOUND: not closed */
export async function showMonth(sql: Sql, month: string, actor: Actor): Promise<ClosedMonth> {
  const [row] = await sql.query<ClosedMonth>(`${monthQuery} WHERE m.month = $2 GROUP BY m.month`, [ownOnly(actor), month]);
  if (row === undefined) throw new TsugiteError('NOT_FOUND', { what: `closed month ${month}` });
  return row;
}

function ownOnly(actor: Actor): ProviderId | null {
  return actor.role === 'provider' ? (actor.provider ?? null) : null;
}

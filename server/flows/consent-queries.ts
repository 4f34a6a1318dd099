/** What people look up about consents. A provider sees those given to it, the operator those of a customer; either is told why, and audited. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { Clock, Db, Sql } from '../ports.ts';
import { type ConsentRecord, type ConsentScope, scopesInForce } from '../rules/consent.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { type Listed, type Page, pageOf, rowsFor } from './page.ts';
import { customerOf } from './place.ts';

export type ConsentFilter = {
  readonly customerId?: string | undefined;
  readonly customer?: RandomId | undefined;
  readonly software?: SoftwareId | undefined;
  readonly reference?: string | undefined;
  readonly why: string;
};
export type ConsentView = {
  readonly consent: RandomId;
  readonly provider: ProviderId | null;
  readonly software: SoftwareId | null;
  readonly reference: string;
  readonly scopes: readonly ConsentScope[];
  readonly inForce: readonly ConsentScope[];
  readonly givenBy: string;
  readonly givenHow: string;
  readonly givenAt: Date;
  readonly recordedAt: Date;
  readonly recordedBy: string;
  readonly withdrawals: readonly { scope: ConsentScope; at: string; by: string; how: string; recordedBy: string }[];
};

export function makeConsentQueries({ db, clock }: { db: Db; clock: Clock }) {
  return {
    /** Newest first. @throws TsugiteError INPUT_REFUSED (an operator names no customer) · CUSTOMER_UNKNOWN */
    list: (filter: ConsentFilter, page: Page<RandomId>, actor: Actor): Promise<Listed<ConsentView>> =>
      db.tx(async (sql) => {
        const nowMs = clock.nowMs();
        const provider = actor.role === 'provider' ? actor.provider : undefined;
        verifyPlace(filter, provider);
        const customer = filter.customerId === undefined ? filter.customer : await customerOf(sql, filter.customerId);
        const rows = await readViews(sql, { ...filter, customer, provider }, page);
        const listed = pageOf(
          rows.map((row) => viewAt(row, nowMs)),
          page,
          'consent',
        );
        const detail = { what: 'consents', consents: listed.items.map(({ consent }) => consent) };
        await appendAudit(
          sql,
          { actor, action: 'customer.read', subject: customer ?? `provider ${provider}`, detail, why: filter.why },
          nowMs,
        );
        return listed;
      }),
  };
}

/** A provider goes by its own numbers: whether an お客さまID is known to us is not for it to try out here. */
function verifyPlace({ customerId, customer }: ConsentFilter, provider: ProviderId | undefined): void {
  const hasCustomer = customerId !== undefined || customer !== undefined;
  if (provider === undefined && !hasCustomer) throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'customer', fault: 'whose?' }] });
  if (provider !== undefined && hasCustomer)
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'customer', fault: 'for the operator; use reference or software' }] });
}

type Row = Omit<ConsentView, 'inForce'>;
type Where = Pick<ConsentFilter, 'customer' | 'software' | 'reference'> & { readonly provider: ProviderId | undefined };

function readViews(sql: Sql, { customer, provider, software, reference }: Where, page: Page<RandomId>): Promise<Row[]> {
  return sql.query<Row>(
    `SELECT c.id AS consent, c.provider_id AS provider, c.software_id AS software, c.reference, c.scopes, c.given_by AS "givenBy",
       c.given_how AS "givenHow", c.given_at AS "givenAt", c.recorded_at AS "recordedAt", c.recorded_by AS "recordedBy",
       coalesce((SELECT json_agg(json_build_object('scope', w.scope, 'at', to_char(w.withdrawn_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'by', w.withdrawn_by, 'how', w.withdrawn_how, 'recordedBy', w.recorded_by) ORDER BY w.withdrawn_at, w.scope)
         FROM consent_withdrawals w WHERE w.consent_id = c.id), '[]') AS withdrawals
     FROM consents c
     WHERE ($1::text IS NULL OR c.customer = $1) AND ($2::text IS NULL OR c.provider_id = $2) AND ($3::text IS NULL OR c.software_id = $3)
       AND ($6::text IS NULL OR c.reference = $6)
       AND ($4::text IS NULL OR (c.recorded_at, c.id) < (SELECT recorded_at, id FROM consents WHERE id = $4))
     ORDER BY c.recorded_at DESC, c.id DESC LIMIT $5`,
    [customer ?? null, provider ?? null, software ?? null, page.after ?? null, rowsFor(page), reference ?? null],
  );
}

function viewAt(row: Row, nowMs: number): ConsentView {
  const record: ConsentRecord = {
    ...row,
    id: row.consent,
    givenAtMs: row.givenAt.getTime(),
    withdrawn: row.withdrawals.map(({ scope, at }) => ({ scope, atMs: Date.parse(at) })),
  };
  return { ...row, inForce: scopesInForce(record, nowMs) };
}

/**
 * Closing a month (月次締め): every provider's invoice with its papers, in one transaction. What was closed is kept as it is: closed again it is only
 * shown, and no later change of data reaches it. A close that dies half-way has closed nothing.
 */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId } from '../../protocol/fields.ts';
import type { Clock, Db, Log, Sql } from '../ports.ts';
import type { TargetCharge } from '../rules/billing-targets.ts';
import { type Invoice, type Issuer, invoiceOf, issuerOf } from '../rules/invoice.ts';
import { invoiceHtml } from '../rules/invoice-html.ts';
import { linesCsv, targetRow, targetsCsvHead } from '../rules/invoice-tables.ts';
import { japanDay } from '../rules/japan-day.ts';
import { isMonthOver } from '../rules/japan-month.ts';
import { type BillingSettings, openMonthAccount, type Pricing } from '../rules/month-account.ts';
import type { Actor } from './actor.ts';
import { appendAudit } from './audit.ts';
import { sitesOf, softwareOf, worksOf } from './billing-facts.ts';
import { type ClosedMonth, showMonth } from './closed-months.ts';
import { lockClosing } from './closed-until.ts';
import { beginDocument, type DocumentSum, saveSums } from './invoice-documents.ts';

type Closing = Pricing & {
  readonly month: string;
  readonly issuedOn: string;
  readonly issuer: Issuer;
  readonly closed: ReadonlySet<string>;
};
type Provider = { readonly provider: ProviderId; readonly name: string };

export function makeCloseMonth({ db, clock, log, billing }: { db: Db; clock: Clock; log: Log; billing: BillingSettings }) {
  /** @throws TsugiteError BILLING_MONTH_OPEN · INVOICE_ISSUER_MISSING · PRICE_TABLE_MISSING · BILLING_CLASS_MISSING; then nothing was closed */
  return async (month: string, actor: Actor): Promise<ClosedMonth & { isRepeat: boolean }> => {
    const nowMs = clock.nowMs();
    if (!isMonthOver(month, nowMs)) throw new TsugiteError('BILLING_MONTH_OPEN', { month });
    const isRepeat = await db.tx(async (sql) => {
      await lockClosing(sql);
      const closed = await closedMonths(sql);
      if (closed.has(month)) return true;
      await closeAll(sql, { ...billing, month, issuedOn: japanDay(nowMs), issuer: issuerOf(billing.issuer), closed }, actor, nowMs);
      return false;
    });
    const shown = await showMonth(db, month, actor);
    if (!isRepeat) log.info('billing.closed', { month, invoices: shown.invoices, totalYen: shown.totalYen, ms: clock.nowMs() - nowMs });
    return { ...shown, isRepeat };
  };
}

async function closeAll(sql: Sql, closing: Closing, actor: Actor, nowMs: number): Promise<void> {
  const { month } = closing;
  await sql.query('INSERT INTO billing_months (month, closed_at, closed_by) VALUES ($1, $2, $3)', [month, new Date(nowMs), actor.name]);
  const providers = await sql.query<Provider>('SELECT id AS provider, name FROM providers ORDER BY id');
  const invoices: Record<string, unknown>[] = [];
  for (const provider of providers) {
    const made = await closeOne(sql, closing, provider);
    // The digests stand in the hash-chained log too: a paper that was changed behind our back does not fit it any more.
    if (made !== undefined)
      invoices.push({
        number: made.invoice.number,
        totalYen: made.invoice.totalYen,
        sha256: Object.fromEntries(made.sums.map(({ kind, sha256 }) => [kind, sha256])),
      });
  }
  await appendAudit(sql, { actor, action: 'billing.close', subject: month, detail: { invoices } }, nowMs);
}

/** @returns undefined for a provider that owes nothing: it gets no paper */
async function closeOne(
  sql: Sql,
  { month, issuedOn, issuer, closed, tables, readings }: Closing,
  recipient: Provider,
): Promise<{ invoice: Invoice; sums: readonly DocumentSum[] } | undefined> {
  const { provider } = recipient;
  const key = { month, provider };
  const account = openMonthAccount(month, { tables, readings });
  for (const software of await softwareOf(sql, provider, month)) account.addSoftware(software);
  const works = await worksOf(sql, provider, month, closed);
  for (const work of works) account.addWork(work);
  const details = beginDocument(sql, key, 'targets');
  let rows = 0;
  for await (const sites of sitesOf(sql, provider, month)) {
    const charges: TargetCharge[] = sites.flatMap((site) => account.addSite(site));
    if (charges.length === 0) continue;
    await details.add((rows === 0 ? targetsCsvHead : '') + charges.map(targetRow).join(''));
    rows += charges.length;
  }
  const invoice = invoiceOf({ month, issuedOn, issuer, recipient, readings, lines: account.lines() });
  if (invoice.lines.length === 0) return undefined;

  const { number, totalYen, taxYen, lines, software, targets } = invoice;
  await sql.query(
    'INSERT INTO invoices (month, provider_id, number, total_yen, tax_yen, lines, software, targets) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)',
    [month, provider, number, totalYen, taxYen, lines.length, software, targets],
  );
  await sql.query('INSERT INTO charged_work_orders (work_order_id, month, provider_id) SELECT id, $2, $3 FROM unnest($1::text[]) AS id', [
    works.map(({ workOrder }) => workOrder),
    month,
    provider,
  ]);
  const found = rows === 0 ? [] : [details.sum()];
  const papers: readonly (readonly ['json' | 'csv' | 'html', string])[] = [
    ['json', `${JSON.stringify({ ...invoice, details: found[0] === undefined ? null : { ...found[0], rows } }, null, 2)}\n`],
    ['csv', linesCsv(invoice)],
    ['html', invoiceHtml(invoice)],
  ];
  const sums: DocumentSum[] = [];
  for (const [kind, text] of papers) {
    const document = beginDocument(sql, key, kind);
    await document.add(text);
    sums.push(document.sum());
  }
  await saveSums(sql, key, [...sums, ...found]);
  return { invoice, sums: [...sums, ...found] };
}

async function closedMonths(sql: Sql): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ month: string }>('SELECT month FROM billing_months');
  return new Set(rows.map(({ month }) => month));
}

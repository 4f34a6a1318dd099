/** billing …: closing a month, its invoices, and who is charged without having the software. */
import { type Command, InvalidArgumentError } from 'commander';
import { asLines } from './as-lines.ts';
import type { Verbs } from './program.ts';
import { type Invoice, saveDocuments } from './save-documents.ts';

type Month = { month: string; closedAt: string; invoices: number; totalYen: number; taxYen: number; software: number; targets: number };

export function addBillingVerbs({ verb, show, answer, api }: Verbs): void {
  verb('billing close', 'close a month: an invoice for every provider（月次締め）. Closed again, it stays as it is')
    .argument('<month>', 'YYYY-MM in Japan; it must be over', typedMonth)
    .option('--out <dir>', 'where CSV, JSON and HTML are written (default: ./billing-<month>)')
    .option('--no-files', 'close only')
    .action(async (month: string, { out, files }, command: Command) => {
      const client = api(command);
      const closed = (await client.post(`/billing/months/${month}/close`)) as Month & { isRepeat: boolean };
      const invoices = (await client.list(`/billing/months/${month}/invoices`)) as Invoice[];
      const folder = out ?? `billing-${month}`;
      const saved = files ? await saveDocuments(client, month, invoices, folder) : [];
      answer({
        value: { ...closed, perProvider: invoices, files: saved },
        lines: [
          `${month} を締めました / closed${closed.isRepeat ? '（締め済み / it was closed before）' : ''}`,
          ...totalLines(closed),
          ...asLines(invoices.map(shownInvoice)),
          ...(files ? [`${saved.length} ファイル / files → ${folder}`] : []),
        ],
      });
    });
  verb('billing list', 'the months that were closed').action(async (_options, command: Command) =>
    show(await api(command).list('/billing/months'), 'months'),
  );
  verb('billing show', 'a closed month and its invoices')
    .argument('<month>', 'YYYY-MM', typedMonth)
    .option('--out <dir>', 'write the documents there')
    .option('--provider <id>', 'of this provider only')
    .action(async (month: string, { out, provider }, command: Command) => {
      const client = api(command);
      const closed = (await client.get(`/billing/months/${month}`)) as Month;
      const all = (await client.list(`/billing/months/${month}/invoices`)) as Invoice[];
      const invoices = all.filter((invoice) => provider === undefined || invoice.provider === provider);
      const saved = out === undefined ? [] : await saveDocuments(client, month, invoices, out);
      answer({
        value: { ...closed, perProvider: invoices, files: saved },
        lines: [`${month}（${closed.closedAt}）`, ...totalLines(closed), ...asLines(invoices.map(shownInvoice))],
      });
    });
  verb('billing not-installed', 'targets that are charged in a month and run nothing, with the reason（課金対象・未インストール）')
    .argument('<month>', 'YYYY-MM; it need not be closed', typedMonth)
    .option('--software <id>', 'of this software only')
    .action(async (month: string, { software }, command: Command) =>
      show(await api(command).list(`/billing/months/${month}/not-installed`, { software }), 'targets'),
    );
}

function totalLines({ invoices, totalYen, taxYen, software, targets }: Month): string[] {
  return [
    `  請求書 ${invoices}、ソフトウェア ${software}、配信対象 ${targets}`,
    `  合計（税込）${totalYen} 円、うち消費税額等 ${taxYen} 円`,
  ];
}

function shownInvoice({ documents: _, ...invoice }: Invoice): object {
  return invoice;
}

function typedMonth(text: string): string {
  if (!/^20\d{2}-(0[1-9]|1[0-2])$/.test(text)) throw new InvalidArgumentError('YYYY-MM');
  return text;
}

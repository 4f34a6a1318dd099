/** `tsugite order SOFTWARE` (step 5): the お客さまID comes from a file, standard input or the terminal, never from the command line. */
import type { Answer } from '../../protocol/command-output.ts';
import { exitCodeOf } from '../../protocol/command-output.ts';
import { describe, TsugiteError } from '../../protocol/errors.ts';
import { wallMs } from '../adapters/clock.ts';
import { readText } from '../adapters/files.ts';
import type { ServerApi } from '../adapters/server-api.ts';
import { type ConsentScope, readOrderTable, type TypedOrder, timeOf } from '../rules/order-table.ts';
import type { Surroundings } from '../surroundings.ts';

export type OrderOptions = {
  readonly customerIdFile?: string;
  readonly application?: string;
  readonly site?: string;
  readonly consent?: string;
  readonly consentBy: string;
  readonly consentHow: string;
  readonly consentAt?: string;
  readonly scope: readonly ConsentScope[];
  readonly csv?: string;
};
type Ordered = { target: string; state: string; version: string | null; isRepeat: boolean; reasons: readonly { code: string }[] };
type Doors = { readonly api: ServerApi; readonly say: (line: string) => void; readonly terminal: Surroundings['terminal'] };

export async function orderDelivery(software: string, options: OrderOptions, doors: Doors): Promise<Answer> {
  if (options.consentAt !== undefined && Number.isNaN(timeOf(options.consentAt)))
    throw new TsugiteError('USAGE_WRONG', { at: '--consent-at (RFC 3339, as 2026-11-22T10:00:00+09:00)' });
  if (options.csv !== undefined) return orderTable(software, options, doors);
  const isKnown = options.application !== undefined && options.customerIdFile === undefined;
  const customerId = isKnown ? undefined : (await typedId(options.customerIdFile, doors)).trim();
  if (customerId === '') throw new TsugiteError('USAGE_WRONG', { at: '--customer-id-file FILE, or - for standard input' });
  const ordered = await order(software, { customerId }, options, doors.api);
  return { value: { software, ...ordered }, lines: linesOf(software, ordered) };
}

/** One after the other: what one customer may not have does not stop the next. Safe to run again: what was ordered is the same target. */
async function orderTable(software: string, options: OrderOptions, { api, say, terminal }: Doors): Promise<Answer> {
  const { csv = '' } = options;
  const rows = readOrderTable(csv === '-' ? await terminal.readInput() : readText(csv));
  const orders: ({ line: number } & (Ordered | { code: string; number: string; ja: string; en: string; exit: number }))[] = [];
  for (const row of rows) {
    const outcome = await order(software, row, options, api).catch((error: unknown) => refusalOf(error));
    orders.push({ line: row.line, ...outcome });
    say(`${row.line}: ${'target' in outcome ? `${outcome.state}  ${outcome.target}` : `${outcome.number} ${outcome.code}`}`);
  }
  const failed = orders.flatMap((one) => ('exit' in one ? [one] : []));
  if (failed.length > 0) throw new TsugiteError('ORDERS_REFUSED', { refused: failed.length, of: rows.length, orders });
  return {
    value: { software, orders },
    lines: orders.flatMap((one) => ('target' in one ? [`${one.line}: ${linesOf(software, one).join('')}`] : [])),
  };
}

type Wanted = Omit<TypedOrder, 'line' | 'customerId'> & { readonly customerId: string | undefined };

async function order(software: string, row: Wanted, options: OrderOptions, api: ServerApi): Promise<Ordered> {
  const reference = row.reference ?? options.consent;
  const consent =
    reference === undefined
      ? undefined
      : {
          reference,
          scopes: row.scopes ?? options.scope,
          givenBy: row.givenBy ?? options.consentBy,
          givenHow: row.givenHow ?? options.consentHow,
          givenAt: new Date(timeOf(row.givenAt ?? options.consentAt ?? new Date(wallMs()).toISOString())).toISOString(),
        };
  const { application, site } = options;
  const body = { software, customerId: row.customerId, application, site: row.site ?? site, consent };
  return (await api.post('/targets', body)) as Ordered;
}

/** A refusal of this customer; anything else ends the whole. */
function refusalOf(error: unknown): { code: string; number: string; ja: string; en: string; exit: number } {
  if (!(error instanceof TsugiteError) || exitCodeOf(error) !== 3) throw error;
  const { code, number, ja, en } = describe(error.code, error.detail);
  return { code, number, ja, en, exit: 3 };
}

async function typedId(file: string | undefined, { terminal }: Doors): Promise<string> {
  if (file === '-') return terminal.readInput();
  if (file !== undefined) return readText(file);
  return terminal.isThere ? terminal.askSecret('お客さまID: ') : terminal.readInput();
}

function linesOf(software: string, { target, state, version, isRepeat, reasons }: Ordered): string[] {
  return [
    `${software} ${version ?? ''}  ${state}  target ${target}${isRepeat ? '  申し込み済み / ordered before' : ''}`,
    ...reasons.map(({ code }) => `  ${code}`),
  ];
}

/** Orders for several customers in one table (RFC 4180, UTF-8, a header row). A fault names its line, never what stands there: it is personal data. */
import { TsugiteError } from '../../protocol/errors.ts';

export const consentScopes = ['delivery', 'reasonsToProvider', 'diagnostics'] as const;
export type ConsentScope = (typeof consentScopes)[number];
export type TypedOrder = {
  /** Of the file; 1 is the header. */
  readonly line: number;
  readonly customerId: string;
  readonly site?: string;
  readonly reference?: string;
  readonly givenBy?: string;
  readonly givenHow?: string;
  readonly givenAt?: string;
  readonly scopes?: readonly ConsentScope[];
};

const mostRows = 1_000;
const columns = {
  customerId: ['customerId', 'お客さまID'],
  site: ['site', '拠点'],
  reference: ['consent', '申込番号'],
  givenBy: ['consentBy', '申込者'],
  givenHow: ['consentHow', '申込方法'],
  givenAt: ['consentAt', '申込日時'],
  scopes: ['scopes', '同意の範囲'],
} as const;
type Column = keyof typeof columns;
type Fault = { readonly field: string; readonly fault: string };

/** @throws TsugiteError INPUT_REFUSED with every fault: nothing is ordered from a table that has one */
export function readOrderTable(text: string): TypedOrder[] {
  const [header, ...rows] = parseCsv(text.replace(/^\uFEFF/, ''));
  if (header === undefined) throw refused([{ field: 'line 1', fault: 'no header' }]);
  const names = header.cells.map(columnOf);
  const faults = headerFaults(header.cells, names);
  if (faults.length === 0 && rows.length === 0) faults.push({ field: 'line 2', fault: 'no orders' });
  if (rows.length > mostRows) faults.push({ field: 'lines', fault: `more than ${mostRows}` });
  if (faults.length > 0) throw refused(faults);
  const orders = rows.map(({ line, cells }) => orderOf(line, cells, names as Column[], faults));
  const seen = new Map<string, number>();
  for (const { line, customerId, site } of orders) {
    const key = JSON.stringify([customerId, site]);
    const first = seen.get(key);
    if (first !== undefined && customerId !== '') faults.push({ field: `line ${line}`, fault: `the same customer as line ${first}` });
    seen.set(key, line);
  }
  if (faults.length > 0) throw refused(faults);
  return orders;
}

function orderOf(line: number, cells: readonly string[], names: readonly Column[], faults: Fault[]): TypedOrder {
  if (cells.length !== names.length) faults.push({ field: `line ${line}`, fault: `${cells.length} columns in place of ${names.length}` });
  const given = Object.fromEntries(names.flatMap((name, at) => (cells[at]?.trim() ? [[name, cells[at]?.trim()]] : []))) as Partial<
    Record<Column, string>
  >;
  const { customerId = '', scopes, ...rest } = given;
  const fault = (column: Column, what: string) => faults.push({ field: `line ${line} ${columns[column][0]}`, fault: what });
  if (customerId === '') fault('customerId', 'missing');
  if (rest.reference === undefined && (rest.givenBy ?? rest.givenHow ?? rest.givenAt ?? scopes) !== undefined)
    fault('reference', 'missing');
  if (rest.givenAt !== undefined && Number.isNaN(timeOf(rest.givenAt))) fault('givenAt', 'not a time (RFC 3339)');
  const wanted = scopes?.split(/[\s;、]+/) ?? [];
  if (wanted.some((scope) => !consentScopes.includes(scope as ConsentScope))) fault('scopes', consentScopes.join(' '));
  return { line, customerId, ...rest, ...(scopes === undefined ? {} : { scopes: wanted as ConsentScope[] }) };
}

/** With a date and an offset: a time without one would be read in this machine's zone. */
export function timeOf(text: string): number {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
}

function columnOf(name: string): Column | undefined {
  return (Object.keys(columns) as Column[]).find((column) => (columns[column] as readonly string[]).includes(name.trim()));
}

function headerFaults(cells: readonly string[], names: readonly (Column | undefined)[]): Fault[] {
  // By its place: where the header was forgotten, an お客さまID stands there.
  const unknown = cells.flatMap((_, at) => (names[at] === undefined ? [at + 1] : []));
  const twice = names.filter((name, at) => name !== undefined && names.indexOf(name) !== at);
  return [
    ...unknown.map((place) => ({ field: 'line 1', fault: `column ${place} is none of ${Object.values(columns).flat().join(' ')}` })),
    ...twice.map((name) => ({ field: 'line 1', fault: `${name} twice` })),
    ...(names.includes('customerId') ? [] : [{ field: 'line 1', fault: 'no column customerId（お客さまID）' }]),
  ];
}

/** Rows with the line each begins on; empty ones are left out. @throws TsugiteError INPUT_REFUSED: a quote that never ends */
function parseCsv(text: string): { line: number; cells: string[] }[] {
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  let line = 1;
  let begun = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.some((one) => one.trim() !== '')) rows.push({ line: begun, cells });
    [cells, cell] = [[], ''];
  };
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] as string;
    if (character === '\n') line += 1;
    if (isQuoted) {
      if (character !== '"') cell += character;
      else if (text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === '') isQuoted = true;
    else if (character === ',') {
      cells.push(cell);
      cell = '';
    } else if (character === '\n') {
      endRow();
      begun = line;
    } else if (character !== '\r') cell += character;
  }
  if (isQuoted) throw refused([{ field: `line ${begun}`, fault: 'a quote that does not end' }]);
  endRow();
  return rows;
}

function refused(faults: readonly Fault[]): TsugiteError {
  return new TsugiteError('INPUT_REFUSED', { faults: faults.slice(0, 20) });
}

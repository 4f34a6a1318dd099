/** How `tsugite-server` answers: a person reads lines, a program reads one JSON object; a failure says number, code, why and what to do (DESIGN §8). */
import { describe, isErrorCode, TsugiteError } from '../../protocol/errors.ts';

export const exitCode = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

export type Answer = { readonly value: Readonly<Record<string, unknown>>; readonly lines: readonly string[] };
export type Streams = { readonly out: (text: string) => void; readonly err: (text: string) => void };

export function writeAnswer(answer: Answer, isJson: boolean, streams: Streams): void {
  streams.out(isJson ? `${JSON.stringify({ ok: true, ...answer.value })}\n` : answer.lines.map((line) => `${line}\n`).join(''));
}

/** @returns the exit code */
export function writeFailure(error: unknown, isJson: boolean, streams: Streams): number {
  const known =
    error instanceof TsugiteError ? error : new TsugiteError('INTERNAL_FAULT', { kind: 'bug', fault: String(error) }, { cause: error });
  if (isJson) streams.out(`${JSON.stringify(failureOf(known))}\n`);
  else streams.err(`${linesOf(known).join('\n')}\n`);
  if (known !== error && error instanceof Error) streams.err(`${error.stack}\n`);
  return exitCodeOf(known);
}

/** A rule said no (eligibility, trust, size, governance): 3. A command used wrongly: 2. All else failed: 1. */
function exitCodeOf({ code, number }: TsugiteError): number {
  if (code === 'USAGE_WRONG') return exitCode.usage;
  return /^E[1237]/.test(number) ? exitCode.refused : exitCode.failed;
}

function failureOf(error: TsugiteError): Record<string, unknown> {
  const { layer, kind, limit, actual, reasons, ...rest } = error.detail;
  const known = { layer, kind, expected: rest.expected ?? limit, found: rest.found ?? actual };
  return {
    ok: false,
    ...describe(error.code, error.detail),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    ...(Array.isArray(reasons) ? { reasons: reasonsOf(error) } : {}),
    detail: error.detail,
  };
}

/** A refusal may have several reasons: each is told with its own sentence. */
function reasonsOf({ detail }: TsugiteError) {
  const reasons = Array.isArray(detail.reasons) ? (detail.reasons as { code?: unknown; detail?: Record<string, unknown> }[]) : [];
  return reasons.flatMap((reason) =>
    typeof reason.code === 'string' && isErrorCode(reason.code) ? [describe(reason.code, reason.detail ?? {})] : [],
  );
}

function linesOf(error: TsugiteError): string[] {
  const { layer, kind, limit, actual, expected, found } = error.detail;
  const where = [layer, kind].filter((part) => part !== undefined).join(' / ');
  const told = reasonsOf(error);
  const all = told.length > 0 ? told : [describe(error.code, error.detail)];
  return [
    ...all.flatMap(({ number, code, ja, en, remedy }) => [
      `${number} ${code}${where === '' ? '' : ` (${where})`}`,
      `  ${ja}`,
      `  ${en}`,
      `  対処: ${remedy.ja}`,
      `  Remedy: ${remedy.en}`,
    ]),
    ...line('期待 / expected', expected ?? limit),
    ...line('実際 / found', found ?? actual),
  ];
}

function line(label: string, value: unknown): string[] {
  if (value === undefined) return [];
  return [`  ${label}: ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}`];
}

/** A value as aligned lines: an object by its fields, a list as a table. */
export function asLines(value: unknown): string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['（なし / none）'] : asTable(value as Record<string, unknown>[]);
  if (value === null || typeof value !== 'object') return [cell(value)];
  const entries = Object.entries(value);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.flatMap(([name, entry]) =>
    Array.isArray(entry) && entry.some((one) => typeof one === 'object')
      ? [`${name}:`, ...asTable(entry as Record<string, unknown>[]).map((row) => `  ${row}`)]
      : [`${name.padEnd(width)}  ${cell(entry)}`],
  );
}

function asTable(rows: readonly Record<string, unknown>[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => columns(row[column] as string))));
  return cells.map((row) =>
    row
      .map((text, column) => text + ' '.repeat((widths[column] as number) - columns(text)))
      .join('  ')
      .trimEnd(),
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** East Asian characters take two columns of a terminal. */
function columns(text: string): number {
  return [...text].reduce(
    (sum, character) =>
      sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1),
    0,
  );
}

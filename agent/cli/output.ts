/** How `tsugite-agent` answers: a person reads lines, a program reads one JSON object; a failure says number, code, why and what to do. */
import { describe, TsugiteError } from '../../protocol/errors.ts';

export const exitCode = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

export type Answer = { readonly value: Readonly<Record<string, unknown>>; readonly lines: readonly string[] };
export type Streams = { readonly out: (text: string) => void; readonly err: (text: string) => void };

export function writeAnswer({ value, lines }: Answer, isJson: boolean, streams: Streams): void {
  streams.out(isJson ? `${JSON.stringify({ ok: true, ...value })}\n` : lines.map((line) => `${line}\n`).join(''));
}

/** @returns the exit code */
export function writeFailure(error: unknown, isJson: boolean, streams: Streams): number {
  const known =
    error instanceof TsugiteError ? error : new TsugiteError('INTERNAL_FAULT', { kind: 'bug', fault: String(error) }, { cause: error });
  const described = describe(known.code, known.detail);
  const { limit, actual, kind } = known.detail;
  const [expected, found] = [known.detail.expected ?? limit, known.detail.found ?? actual];
  if (isJson) streams.out(`${JSON.stringify({ ok: false, ...described, ...defined({ kind, expected, found }), detail: known.detail })}\n`);
  else
    streams.err(
      [
        `${described.number} ${described.code}${kind === undefined ? '' : ` (${kind})`}`,
        `  ${described.ja}`,
        `  ${described.en}`,
        ...(expected === undefined ? [] : [`  期待 / expected: ${show(expected)}`]),
        ...(found === undefined ? [] : [`  実際 / found: ${show(found)}`]),
        `  対処: ${described.remedy.ja}`,
        `  Remedy: ${described.remedy.en}`,
      ]
        .map((line) => `${line}\n`)
        .join(''),
    );
  if (known !== error && error instanceof Error) streams.err(`${error.stack}\n`);
  return exitCodeOf(known);
}

/** A rule said no (eligibility, trust, size, governance, a refused enrolment): 3. A command used wrongly: 2. All else failed: 1. */
function exitCodeOf({ code, number }: TsugiteError): number {
  if (code === 'USAGE_WRONG') return exitCode.usage;
  return /^E[1237]/.test(number) || refusals.has(code) ? exitCode.refused : exitCode.failed;
}
const refusals: ReadonlySet<string> = new Set([
  'ENROLL_TOKEN_REFUSED',
  'ENROLL_TRIES_EXCEEDED',
  'ENROLL_REQUEST_REFUSED',
  'GATEWAY_BLOCKED',
  'ALREADY_ENROLLED',
  'NOTHING_PENDING',
  'POSTPONE_LIMIT',
]);

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function show(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * How the three commands answer: a person reads lines, a program reads one JSON object; a failure says number, code, what was expected and found,
 * and what to do (DESIGN §8). What is written goes through the caller's streams.
 */
import { describe, type ErrorCode, type ErrorDetail, isErrorCode, TsugiteError } from './errors.ts';

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
  if (isJson) streams.out(`${JSON.stringify(failureOf(known))}\n`);
  else streams.err(`${linesOf(known).join('\n')}\n`);
  if (known !== error && error instanceof Error) streams.err(`${error.stack}\n`);
  return exitCodeOf(known);
}

/** A rule said no (eligibility, trust, size, governance, or one of `refusals`): 3. A command used wrongly: 2. All else failed: 1. */
export function exitCodeOf({ code, number }: { code: ErrorCode; number: string }): number {
  if (code === 'USAGE_WRONG') return exitCode.usage;
  return /^E[1237]/.test(number) || refusals.has(code) ? exitCode.refused : exitCode.failed;
}

/** Rules whose numbers stand in a range of faults: a refused enrolment, a wish that was refused at the gateway. */
const refusals: ReadonlySet<ErrorCode> = new Set([
  'ENROLL_TOKEN_REFUSED',
  'ENROLL_TRIES_EXCEEDED',
  'ENROLL_REQUEST_REFUSED',
  'GATEWAY_BLOCKED',
  'NOTHING_PENDING',
  'BILLING_MONTH_OPEN',
  'BILLING_MONTH_CLOSED',
  'POSTPONE_LIMIT',
]);

function failureOf(error: TsugiteError): Record<string, unknown> {
  const { layer, kind, reasons } = error.detail;
  const known = { layer, kind, ...expectedAndFound(error) };
  return {
    ok: false,
    ...describe(error.code, error.detail),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    ...(Array.isArray(reasons) ? { reasons: reasonsOf(error) } : {}),
    detail: error.detail,
  };
}

function linesOf(error: TsugiteError): string[] {
  const { layer, kind } = error.detail;
  const { expected, found } = expectedAndFound(error);
  const where = [layer, kind].filter((part) => part !== undefined).join(' / ');
  const told = reasonsOf(error);
  return [
    ...(told.length > 0 ? told : [describe(error.code, error.detail)]).flatMap(({ number, code, ja, en, remedy }) => [
      `${number} ${code}${where === '' ? '' : ` (${where})`}`,
      `  ${ja}`,
      `  ${en}`,
      `  対処: ${remedy.ja}`,
      `  Remedy: ${remedy.en}`,
    ]),
    ...line('期待 / expected', expected),
    ...line('実際 / found', found),
  ];
}

/** A limit is what was expected, the measured value what was found. */
function expectedAndFound({ detail }: TsugiteError): { expected: unknown; found: unknown } {
  return { expected: detail.expected ?? detail.limit, found: detail.found ?? detail.actual };
}

/** A refusal may have several reasons: each is told with its own sentence. */
function reasonsOf({ detail }: TsugiteError) {
  const reasons = Array.isArray(detail.reasons) ? (detail.reasons as { code?: unknown; detail?: ErrorDetail }[]) : [];
  return reasons.flatMap(({ code, detail: more = {} }) => (typeof code === 'string' && isErrorCode(code) ? [describe(code, more)] : []));
}

function line(label: string, value: unknown): string[] {
  if (value === undefined) return [];
  return [`  ${label}: ${typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)}`];
}

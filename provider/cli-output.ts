/** How `tsugite` answers: a person reads lines, a program reads one JSON object; a failure says number, code, why and what to do (DESIGN §8). */
import { describe, TsugiteError } from '../protocol/errors.ts';

export const exitCode = { done: 0, failed: 1, usage: 2, refused: 3 } as const;

export type Answer = { readonly value: Readonly<Record<string, unknown>>; readonly lines: readonly string[] };

export type Streams = { readonly out: (text: string) => void; readonly err: (text: string) => void };

export type Failure = {
  readonly ok: false;
  readonly number: string;
  readonly code: string;
  readonly layer?: unknown;
  readonly kind?: unknown;
  readonly expected?: unknown;
  readonly found?: unknown;
  readonly ja: string;
  readonly en: string;
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly who: string;
  readonly retry: string;
  readonly detail: Readonly<Record<string, unknown>>;
};

export function writeAnswer(answer: Answer, isJson: boolean, streams: Streams): void {
  streams.out(isJson ? `${JSON.stringify({ ok: true, ...answer.value })}\n` : answer.lines.map((line) => `${line}\n`).join(''));
}

export function writeFailure(error: unknown, isJson: boolean, streams: Streams): number {
  const known =
    error instanceof TsugiteError ? error : new TsugiteError('INTERNAL_FAULT', { kind: 'bug', fault: String(error) }, { cause: error });
  const failure = failureOf(known);
  if (isJson) streams.out(`${JSON.stringify(failure)}\n`);
  else
    streams.err(
      linesOf(failure)
        .map((line) => `${line}\n`)
        .join(''),
    );
  if (known !== error && error instanceof Error) streams.err(`${error.stack}\n`);
  return exitCodeOf(known);
}

/** A rule said no (eligibility, trust, size, governance): 3. A command used wrongly: 2. All else failed: 1. */
export function exitCodeOf({ code, number }: { code: string; number: string }): number {
  if (code === 'USAGE_WRONG') return exitCode.usage;
  return /^E[1237]/.test(number) ? exitCode.refused : exitCode.failed;
}

function failureOf(error: TsugiteError): Failure {
  const { ja, en, remedy, who, retry, number, code } = describe(error.code, error.detail);
  const { layer, kind, limit, actual, ...rest } = error.detail;
  const expected = rest.expected ?? limit;
  const found = rest.found ?? actual;
  return {
    ok: false,
    number,
    code,
    ...(layer === undefined ? {} : { layer }),
    ...(kind === undefined ? {} : { kind }),
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
    ja,
    en,
    remedy,
    who,
    retry,
    detail: error.detail,
  };
}

function linesOf(failure: Failure): string[] {
  const where = [failure.layer, failure.kind].filter((part) => part !== undefined).join(' / ');
  return [
    `${failure.number} ${failure.code}${where === '' ? '' : ` (${where})`}`,
    `  ${failure.ja}`,
    `  ${failure.en}`,
    ...(failure.expected === undefined ? [] : [`  期待 / expected: ${text(failure.expected)}`]),
    ...(failure.found === undefined ? [] : [`  実際 / found:    ${text(failure.found)}`]),
    `  対処: ${failure.remedy.ja}`,
    `  Remedy: ${failure.remedy.en}`,
  ];
}

function text(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}

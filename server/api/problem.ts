/** Failures as problem documents (RFC 9457) with our number and code. */
import { describe, type ErrorCode, isErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { databaseFaultOf } from '../rules/database-fault.ts';

export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly number: string;
  readonly code: ErrorCode;
  readonly ja: string;
  readonly en: string;
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly who: string;
  readonly retry: string;
  readonly context: Readonly<Record<string, unknown>>;
  /** Where a refusal has several: each with its own sentence. */
  readonly reasons?: readonly Readonly<Record<string, unknown>>[];
};

const statusOfCode: Partial<Record<ErrorCode, number>> = {
  INPUT_REFUSED: 400,
  API_UNAUTHENTICATED: 401,
  API_FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  FILE_EXISTS: 409,
  STATE_FORBIDS: 409,
  ALREADY_RUNNING: 409,
  REQUEST_RUNNING: 409,
  VERSION_CHANGED: 412,
  RATE_LIMITED: 429,
  SERVER_BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
  DATABASE_REFUSED: 503,
  DATABASE_UNSUITABLE: 503,
  DISK_FULL: 507,
  INTERNAL_FAULT: 500,
};

/** Everything else of the catalogue is a rule that said no. */
export function statusOf(code: ErrorCode): number {
  return statusOfCode[code] ?? 422;
}

export function toProblem(error: TsugiteError): Problem {
  const { code, number, ja, en, remedy, who, retry } = describe(error.code, error.detail);
  const { reasons, ...context } = error.detail;
  return {
    type: `urn:tsugite:problem:${code}`,
    title: en,
    status: statusOf(code),
    detail: `${ja}${remedy.ja}`,
    number,
    code,
    ja,
    en,
    remedy,
    who,
    retry,
    context,
    ...(Array.isArray(reasons) ? { reasons: reasons.flatMap(toReason) } : {}),
  };
}

/** A rule, or the caller's own input, said no: nothing went wrong here. */
export function isRefusal(error: unknown): boolean {
  return error instanceof TsugiteError && statusOf(error.code) < 500;
}

/** What Node says about a connection on which no request came about. */
const statusOfConnection: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
};

/** The whole answer to such a connection, as bytes. */
export function connectionProblem(fault = 'no HTTP'): string {
  const statusLine = statusOfConnection[fault] ?? '400 Bad Request';
  const problem = toProblem(new TsugiteError('INPUT_REFUSED', { faults: [{ field: '(request)', fault }] }));
  const body = JSON.stringify({ ...problem, status: Number.parseInt(statusLine, 10) });
  const head = [
    `HTTP/1.1 ${statusLine}`,
    'content-type: application/problem+json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return [...head, 'connection: close', '', body].join('\r\n');
}

function toReason(reason: { code?: unknown; detail?: Record<string, unknown> }): Record<string, unknown>[] {
  return typeof reason.code === 'string' && isErrorCode(reason.code)
    ? [{ ...describe(reason.code, reason.detail ?? {}), detail: reason.detail ?? {} }]
    : [];
}

/** @returns our error for whatever was thrown; what nobody foresaw becomes INTERNAL_FAULT without its text */
export function asTsugiteError(error: unknown): TsugiteError {
  const databaseFault = databaseFaultOf(error);
  if (databaseFault !== undefined) return databaseFault;
  const known = error as { statusCode?: unknown; message?: unknown };
  // Fastify's own refusals: a body that is no JSON, too long, of an unknown type.
  if (typeof known.statusCode === 'number' && known.statusCode >= 400 && known.statusCode < 500)
    return new TsugiteError(
      'INPUT_REFUSED',
      { faults: [{ field: '(body)', fault: String(known.message).slice(0, 200) }] },
      { cause: error },
    );
  return new TsugiteError('INTERNAL_FAULT', {}, { cause: error });
}

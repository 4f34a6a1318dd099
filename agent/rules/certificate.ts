import type { ErrorCode } from '../../protocol/errors.ts';

/** Renewed when two thirds of its life are over: 30 days remain to try again. */
export function isRenewalDue({ notBeforeMs, notAfterMs }: { notBeforeMs: number; notAfterMs: number }, nowMs: number): boolean {
  return nowMs >= notBeforeMs + ((notAfterMs - notBeforeMs) * 2) / 3;
}

/**
 * What becomes of the key after an enrolment that failed. A server that was reached may have issued for it and will take no other with this
 * token, so it is kept; when it is of no more use, the disk is to be as it was.
 *
 * @param kind   of a network fault
 * @param isNew  made for this very try
 */
export function isKeyKept(code: ErrorCode, kind: unknown, isNew: boolean): boolean {
  if (code === 'ENROLL_TOKEN_REFUSED' || code === 'ENROLL_TRIES_EXCEEDED') return false;
  const wasNotReached = code === 'NET_NO_ROUTE' || code === 'NET_NAME_UNRESOLVED' || code === 'TLS_FAILED' || kind === 'ECONNREFUSED';
  const isRefused = code === 'ENROLL_REQUEST_REFUSED' || code === 'GATEWAY_BLOCKED';
  return wasNotReached || isRefused ? !isNew : true;
}

import { catalogue, type ErrorCode } from '../../protocol/errors.ts';

const minuteMs = 60_000;
const longestMs = 60 * minuteMs;
/** A whole file with a wrong digest is dropped and fetched once more. */
const wrongDigestsAllowed = 1;

export type DownloadDecision = { kind: 'retry'; afterMs: number } | { kind: 'failed' } | { kind: 'refused' };

/**
 * After a download that did not succeed. Every answer but `retry` ends the deployment, and `retry` is given only before the deadline, so none
 * hangs for ever.
 *
 * @param tries         downloads begun in this deployment, this one included
 * @param wrongDigests  whole files whose digest was wrong, this one included
 * @param fraction      in [0, 1): spreads a fleet that met one broken server
 */
export function decideDownloadRetry(
  code: ErrorCode,
  {
    tries,
    wrongDigests,
    nowMs,
    deadlineMs,
    fraction,
  }: { tries: number; wrongDigests: number; nowMs: number; deadlineMs: number; fraction: number },
): DownloadDecision {
  if (code === 'PKG_DIGEST_MISMATCH') return wrongDigests <= wrongDigestsAllowed ? { kind: 'retry', afterMs: 0 } : { kind: 'failed' };
  if (catalogue[code].retry !== 'later') return { kind: 'refused' };
  const afterMs = Math.min(longestMs, minuteMs * 2 ** Math.min(tries - 1, 10)) * (0.5 + fraction / 2);
  return nowMs + afterMs >= deadlineMs ? { kind: 'failed' } : { kind: 'retry', afterMs };
}

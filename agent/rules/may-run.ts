import type { Notice } from '../../protocol/statements/notice.ts';
import type { RevokedSigner } from '../../protocol/statements/root.ts';
import type { Fault, Signer, SoftwareRecord } from './agent-state.ts';

/**
 * Why committed software must not run now; undefined when it may. Every reason but the revocation ends by itself when a new notice comes, and
 * none of them deletes anything.
 *
 * @param notice  the one in force; without one the terms of the last stay valid until their lease ends
 */
export function findStop(
  record: SoftwareRecord,
  { notice, revoked, nowMs }: { notice: Notice | null; revoked: readonly RevokedSigner[]; nowMs: number },
): Fault | undefined {
  const { committed, terms } = record;
  if (committed !== null && isStopped(committed.signer, revoked))
    return { code: 'SIGNING_KEY_UNKNOWN', detail: { kind: 'revoked', serial: committed.signer.serial } };
  // Absence alone deletes nothing (DESIGN §4): a notice that was made from half a database must not empty a home.
  if (notice !== null && !notice.targets.some((target) => target.target === record.target))
    return { code: 'SOFTWARE_ORPHANED', detail: {} };
  if (nowMs >= Date.parse(terms.entitledUntil)) return { code: 'ENTITLEMENT_LAPSED', detail: { entitledUntil: terms.entitledUntil } };
  if (committed !== null && terms.graceUntil !== null && nowMs >= Date.parse(terms.graceUntil)) {
    const { installedBytes } = committed.manifest.payload;
    if (installedBytes >= terms.limits.installedBytes)
      return { code: 'SIZE_OVER_LIMIT', detail: { kind: 'plan', limit: terms.limits.installedBytes, actual: installedBytes } };
  }
  return undefined;
}

/** The next moment at which `findStop` may answer otherwise though nothing else happens. */
export function nextStopMs({ terms }: SoftwareRecord, nowMs: number): number | undefined {
  const times = [terms.entitledUntil, terms.graceUntil].flatMap((time) => (time === null ? [] : [Date.parse(time)]));
  const ahead = times.filter((time) => time > nowMs);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

function isStopped({ issuer, serial }: Signer, revoked: readonly RevokedSigner[]): boolean {
  return revoked.some((entry) => entry.stop && entry.issuer === issuer && entry.serial === serial);
}

import type { ErrorCode } from '../../protocol/errors.ts';
import type { Digest, GatewayId } from '../../protocol/fields.ts';
import type { Notice } from '../../protocol/statements/notice.ts';
import type { Root } from '../../protocol/statements/root.ts';

/** The high-water mark: the newest notice that this gateway has acted on. */
export type NoticeMark = { version: number; sha256: Digest };

export type NoticeDecision =
  | { kind: 'apply'; version: number }
  | { kind: 'ignore'; why: 'already-applied' }
  | {
      kind: 'refuse';
      code: 'NOTICE_WRONG_GATEWAY' | 'NOTICE_DOWNGRADE' | 'NOTICE_VERSION_REUSED' | 'NOTICE_EXPIRED';
      expected: string | number;
      found: string | number;
    };

/**
 * What to do with a notice whose signature is proven. Order matters: a notice for another gateway says nothing about ours, and a replayed one
 * is told from an expired one, because only the first means that somebody is sending old messages.
 *
 * @param sha256  of the envelope's bytes as they arrived
 */
export function decideNotice(
  notice: Notice,
  sha256: Digest,
  { gateway, mark, nowMs }: { gateway: GatewayId; mark: NoticeMark | null; nowMs: number },
): NoticeDecision {
  if (notice.gateway !== gateway) return { kind: 'refuse', code: 'NOTICE_WRONG_GATEWAY', expected: gateway, found: notice.gateway };
  if (mark !== null && notice.version < mark.version)
    return { kind: 'refuse', code: 'NOTICE_DOWNGRADE', expected: mark.version, found: notice.version };
  if (mark !== null && notice.version === mark.version)
    return sha256 === mark.sha256
      ? { kind: 'ignore', why: 'already-applied' }
      : { kind: 'refuse', code: 'NOTICE_VERSION_REUSED', expected: mark.sha256, found: sha256 };
  // Only a notice that was applied in time stays in force beyond its expiry (a delayed one could be an attacker's frozen copy).
  if (nowMs >= Date.parse(notice.expires))
    return { kind: 'refuse', code: 'NOTICE_EXPIRED', expected: notice.expires, found: new Date(nowMs).toISOString() };
  return { kind: 'apply', version: notice.version };
}

/** Why nothing may be downloaded, installed or updated now, though stops are obeyed and leases hold; undefined when it may. */
export type InstallBlock = { code: ErrorCode; detail: Readonly<Record<string, string | number>> };

export function findInstallBlock(notice: Notice, root: Root, nowMs: number): InstallBlock | undefined {
  if (nowMs >= Date.parse(root.expires)) return { code: 'ROOT_EXPIRED', detail: { version: root.version, expires: root.expires } };
  if (nowMs >= Date.parse(notice.expires)) return { code: 'NOTICE_EXPIRED', detail: { version: notice.version, expires: notice.expires } };
  // The server signs by a root that we could not fetch: it may have revoked the very signer of the package.
  if (notice.rootVersion > root.version) return { code: 'ROOT_BEHIND', detail: { expected: notice.rootVersion, found: root.version } };
  return undefined;
}

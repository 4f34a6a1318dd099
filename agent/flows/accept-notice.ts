import { assertNever } from '../../protocol/assert-never.ts';
import { type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import type { Digest, GatewayId } from '../../protocol/fields.ts';
import type { Notice } from '../../protocol/statements/notice.ts';
import type { EventLog } from '../ports.ts';
import { decideNotice } from '../rules/notice.ts';
import { digestOf, type Trust } from './keep-trust.ts';
import type { Walk } from './walk-root.ts';

export type NoticeOutcome =
  | { kind: 'applied'; notice: Notice }
  /** It said nothing new: nothing at all, or what is in force. */
  | { kind: 'ignored'; why: 'empty' | 'already-applied' }
  | { kind: 'refused'; sha256: Digest; code: ErrorCode; detail: Readonly<Record<string, unknown>> };

type Needs = {
  trust: Trust;
  walkRoot: (urge: { isUrged: boolean }) => Promise<Walk>;
  gateway: GatewayId;
  log: EventLog;
};

/**
 * Takes an envelope that arrived as a notice. When it returns `applied`, the notice is on disk; a refused one changed nothing there.
 *
 * @throws TsugiteError DISK_FULL · STORE_IO (send it again)
 */
export function makeAcceptNotice({ trust, walkRoot, gateway, log }: Needs) {
  /** Newer roots are asked for when this one cannot say yes, then the proof is tried once more. */
  async function prove(envelope: Buffer): Promise<Notice> {
    try {
      const notice = trust.verifyNotice(envelope);
      if (notice.rootVersion <= trust.root().version) return notice;
    } catch (error) {
      if (!(error instanceof TsugiteError && error.code === 'SIGNING_KEY_UNKNOWN')) throw error;
    }
    await walkRoot({ isUrged: true });
    return trust.verifyNotice(envelope);
  }

  return async (envelope: Buffer): Promise<NoticeOutcome> => {
    // MQTT 3.1.1 §3.3.1.3: an empty retained message clears a topic. It says nothing about what should run here.
    if (envelope.length === 0) return { kind: 'ignored', why: 'empty' };
    const sha256 = digestOf(envelope);
    if (sha256 === trust.mark()?.sha256) return { kind: 'ignored', why: 'already-applied' };
    const notice = await prove(envelope).catch((error: unknown) => {
      if (error instanceof TsugiteError) return error;
      throw error;
    });
    if (notice instanceof TsugiteError) return { kind: 'refused', sha256, code: notice.code, detail: notice.detail };
    const decision = decideNotice(notice, sha256, { gateway, mark: trust.mark(), nowMs: trust.nowMs() });
    switch (decision.kind) {
      case 'ignore':
        return { kind: 'ignored', why: decision.why };
      case 'refuse': {
        const { code, expected, found } = decision;
        const detail = { version: notice.version, applied: trust.mark()?.version ?? null, expected, found };
        return { kind: 'refused', sha256, code, detail };
      }
      case 'apply':
        trust.applyNotice(envelope, notice);
        log.write({
          event: 'notice.applied',
          detail: { notice: notice.version, issuedAt: notice.issuedAt, targets: notice.targets.length },
        });
        return { kind: 'applied', notice };
      default:
        return assertNever(decision);
    }
  };
}

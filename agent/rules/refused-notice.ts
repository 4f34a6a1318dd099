/** The last notice that was refused since the newest accepted one: whoever stands at the gateway cannot see what was published to it. */
import { type Description, describe } from '../../protocol/errors.ts';
import type { Digest, UtcTime } from '../../protocol/fields.ts';
import type { Fault } from './agent-state.ts';

export type RefusedNotice = Fault & {
  /** Of the bytes as they arrived. */
  sha256: Digest;
  at: UtcTime;
  /** When the first was refused since the newest accepted one, and how often that has happened since. */
  since: UtcTime;
  times: number;
};

/**
 * The broker brings the same bad notice again with every connect: only another one, or another reason, is news. The reason's detail is no mark of
 * it, since it may hold the time.
 */
export function noteRefusal(
  known: RefusedNotice | null,
  refused: Fault & { sha256: Digest },
  at: UtcTime,
): { refused: RefusedNotice; isNews: boolean } {
  return {
    refused: { ...refused, at, since: known?.since ?? at, times: (known?.times ?? 0) + 1 },
    isNews: known?.sha256 !== refused.sha256 || known.code !== refused.code,
  };
}

export type RefusalTold = Pick<Description, 'number' | 'code' | 'ja' | 'en' | 'remedy' | 'who'> &
  Pick<RefusedNotice, 'at' | 'since' | 'times'>;

export function tellRefusal({ code, detail, at, since, times }: RefusedNotice): RefusalTold {
  const { number, ja, en, remedy, who } = describe(code, detail);
  return { number, code, ja, en, remedy, who, at, since, times };
}

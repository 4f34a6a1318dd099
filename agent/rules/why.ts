import type { Sentence } from '../../protocol/error-catalogue/entry.ts';
import { describe, whoLabels } from '../../protocol/errors.ts';
import type { SoftwareId } from '../../protocol/fields.ts';
import type { Fault } from './agent-state.ts';
import type { DeniedTally } from './denied-tally.ts';
import type { RefusalTold } from './refused-notice.ts';
import { type Shown, softwareWords } from './software-word.ts';

/** The rungs from the contract down to the process, in the order in which a technician should look. */
export const rungs = {
  enrolled: { ja: 'ホームゲートウェイの登録', en: 'the gateway is enrolled' },
  contact: { ja: '配信サーバーからの通知', en: 'notices from the delivery server arrive' },
  notice: { ja: '最新の配信情報の受け付け', en: 'the newest notice was accepted' },
  listed: { ja: '配信情報への記載（契約）', en: 'the notice lists it (contract)' },
  entitled: { ja: '利用期限', en: 'the entitlement has not run out' },
  trusted: { ja: '配信情報とルート情報の有効期限', en: 'notice and root are in force' },
  accepted: { ja: '機種・サイズ・空き容量などの条件', en: 'model, size, storage and the like allow it' },
  installed: { ja: 'ダウンロードとインストール', en: 'downloaded, verified and installed' },
  running: { ja: '動作', en: 'it runs' },
} as const satisfies Record<string, Sentence>;
export type Rung = keyof typeof rungs;

/** What is known about each rung: it holds, it does not yet, or the fault that stands there; a rung that was not reached is left out. */
export type Finding = 'yes' | 'not-yet' | Fault;
export type Findings = Partial<Record<Rung, Finding>>;

export type Why = {
  software: SoftwareId | string;
  state: { word: string; ja: string; en: string };
  reason: { number: string; code: string; ja: string; en: string } | null;
  /** When the state was entered, or null when it was never noted. */
  at: string | null;
  who: Sentence;
  next: Sentence;
  ladder: readonly { rung: Rung; ok: boolean; ja: string; en: string; number?: string }[];
} & Beside;

/** What is told beside the ladder, whatever the answer is. */
export type Beside = {
  notices: {
    /** In force. */
    accepted: { version: number; issuedAt: string; appliedAt: string | null } | null;
    /** The last one since then, if any. */
    refused: RefusalTold | null;
  };
  /** Connections that were refused, as far back as the log goes. */
  denied: readonly DeniedTally[];
};

/**
 * 状態 / 理由コード / いつ / 誰が対応するか / 次の操作. The reason is the one shown with the state; without one, the first rung that does not hold.
 */
export function explainSoftware(
  software: string,
  { shown, at }: { shown: Shown; at: string | null },
  findings: Findings,
  beside: Beside,
): Why {
  const known = Object.entries(findings) as [Rung, Finding][];
  const ladder = known.map(([rung, finding]) => ({
    rung,
    ok: finding === 'yes',
    ...rungs[rung],
    ...(typeof finding === 'object' && { number: describe(finding.code, finding.detail).number }),
  }));
  const fault = shown.fault ?? known.map(([, finding]) => finding).find((finding) => typeof finding === 'object') ?? null;
  const described = fault === null ? null : describe(fault.code, fault.detail);
  return {
    software,
    state: { word: shown.state, ...softwareWords[shown.state] },
    reason: described === null ? null : { number: described.number, code: described.code, ja: described.ja, en: described.en },
    at,
    who: whoLabels[described?.who ?? 'nobody'],
    next: described?.remedy ?? { ja: '操作は不要です。', en: 'Nothing to do.' },
    ladder,
    ...beside,
  };
}

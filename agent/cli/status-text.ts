/** What `status` says: the gateway, its line, its notice, its month and its software, as a person reads them. */
import type { Answer } from '../../protocol/command-output.ts';
import { describe } from '../../protocol/errors.ts';
import type { Fault } from '../rules/agent-state.ts';
import type { Purpose } from '../rules/ledger.ts';
import type { RefusalTold } from '../rules/refused-notice.ts';
import { type Shown, softwareWords } from '../rules/software-word.ts';
import { refusalLines } from './refusal-text.ts';

export type StatusFacts = {
  gateway: string;
  model: string | null;
  agent: string;
  isAgentRunning: boolean;
  lineFault: Fault | undefined;
  server: string;
  rootVersion: number;
  rootExpires: string;
  notice: { version: number; issuedAt: string; expires: string; appliedAt: string | null } | null;
  /** The last since the newest accepted one. */
  refusedNotice: RefusalTold | null;
  month: { usedBytes: number; ceilingBytes: number; byPurpose: Readonly<Record<Purpose, number>> };
  reportsWaiting: number;
  software: readonly {
    software: string;
    version: string | null;
    title: { ja: string; en: string } | null;
    shown: Shown;
    at: string | null;
  }[];
};

export function statusAnswer(facts: StatusFacts): Answer {
  const { software, lineFault, ...rest } = facts;
  return {
    value: {
      ...rest,
      line: lineFault === undefined ? { ok: true } : { ok: false, ...reasonOf(lineFault) },
      software: software.map(({ shown, ...entry }) => ({
        ...entry,
        state: shown.state,
        ...softwareWords[shown.state],
        ...(shown.fault && { reason: reasonOf(shown.fault) }),
      })),
    },
    lines: [
      ...gatewayLines(facts),
      '',
      ...(software.length === 0 ? ['配信済みのソフトウェアはありません。'] : software.flatMap(softwareLines)),
    ],
  };
}

function gatewayLines(facts: StatusFacts): string[] {
  const { notice, month, lineFault } = facts;
  return [
    `ゲートウェイ    ${facts.gateway}${facts.model === null ? '' : `（${facts.model}）`}`,
    `エージェント    ${facts.isAgentRunning ? '動作中' : '停止中'}（${facts.agent}）`,
    `配信サーバー    ${facts.server}${lineFault === undefined ? '' : `  ${reasonOf(lineFault).number} ${reasonOf(lineFault).ja}`}`,
    `配信情報        ${notice === null ? 'まだありません' : `${notice.version}（発行 ${notice.issuedAt}、期限 ${notice.expires}）`}`,
    ...(facts.refusedNotice === null ? [] : refusalLines(facts.refusedNotice)),
    `ルート情報      ${facts.rootVersion}（期限 ${facts.rootExpires}）`,
    `今月の通信量    ${month.usedBytes.toLocaleString('en')} / ${month.ceilingBytes.toLocaleString('en')} バイト`,
    ...(facts.reportsWaiting === 0 ? [] : [`未送信の報告    ${facts.reportsWaiting} 件`]),
  ];
}

function softwareLines({ software, version, title, shown, at }: StatusFacts['software'][number]): string[] {
  const name = title === null ? software : `${title.ja}（${software}）`;
  const head = `${name} ${version ?? ''}  ${softwareWords[shown.state].ja}${at === null ? '' : `  ${at}`}`;
  return shown.fault === null ? [head] : [head, `    ${reasonOf(shown.fault).number} ${reasonOf(shown.fault).ja}`];
}

function reasonOf({ code, detail }: Fault) {
  const { number, ja, en } = describe(code, detail);
  return { number, code, ja, en };
}

/** What `why` says of one software: its state, the reason, who acts, what comes next, and the ladder. */
import type { Answer } from '../../protocol/command-output.ts';
import { deniedWords } from '../rules/denied-tally.ts';
import type { Why } from '../rules/why.ts';
import { refusalLines } from './refusal-text.ts';

export function whyAnswer(why: Why): Answer {
  const { reason, state, who, next, notices, denied } = why;
  return {
    value: why,
    lines: [
      why.software,
      `  状態            ${state.ja}（${state.en}）`,
      `  理由コード      ${reason === null ? 'なし（none）' : `${reason.number} ${reason.code}`}`,
      ...(reason === null ? [] : [`                  ${reason.ja}`, `                  ${reason.en}`]),
      `  いつ            ${why.at ?? '不明（unknown）'}`,
      `  誰が対応するか  ${who.ja}（${who.en}）`,
      `  次の操作        ${next.ja}`,
      `                  ${next.en}`,
      '',
      ...why.ladder.map(({ ok, ja, en, number }) => `  ${ok ? '○' : '×'} ${ja}（${en}）${number === undefined ? '' : `  ${number}`}`),
      ...(notices.accepted === null ? [] : [`    適用中の配信情報  ${notices.accepted.version}（発行 ${notices.accepted.issuedAt}）`]),
      ...(notices.refused === null ? [] : refusalLines(notices.refused).map((line) => `    ${line}`)),
      ...(denied.length === 0 ? [] : ['', '  遮断した通信（connections that were blocked）']),
      ...denied.map(({ class: to, count, lastAt }) => `    ${deniedWords[to].ja}（${deniedWords[to].en}）  ${count}回  最後 ${lastAt}`),
    ],
  };
}

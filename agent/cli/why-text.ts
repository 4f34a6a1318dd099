import type { Answer } from '../../protocol/command-output.ts';
import type { Why } from '../rules/why.ts';

export function whyAnswer(why: Why): Answer {
  const { reason, state, who, next } = why;
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
    ],
  };
}

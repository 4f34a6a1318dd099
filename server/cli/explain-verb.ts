/** explain: why is it on that gateway, or why is it not. */
import type { Command } from 'commander';
import { TsugiteError, whoLabels } from '../../protocol/errors.ts';
import type { Answer } from '../flows/explain-delivery.ts';
import type { Rung } from '../rules/explain.ts';
import { japanTime } from '../rules/japan-day.ts';
import type { RungStatus } from '../rules/rung.ts';
import { customerIdHelp, typedId } from './customer-verbs.ts';
import type { Verbs } from './program.ts';

export function addExplainVerb({ verb, answer, api }: Verbs): void {
  verb('explain', 'the whole ladder from contract to disk, and the first step that is missing（なぜ入っていないのか）')
    .argument('<where-and-software...>', '<gateway> <software>, or with an option only <software>')
    .option('--site <id>', 'a site instead of a gateway')
    .option('--customer-id <id>', `a customer instead of a gateway: ${customerIdHelp}`)
    .option('--why <text>', 'for what it is asked; it stands in the audit (default: explain)')
    .action(async (words: string[], { site, customerId, why }, command: Command) => {
      const [software, gateway, ...others] = [...words].reverse();
      if (software === undefined || others.length > 0) throw new TsugiteError('USAGE_WRONG', { at: words.join(' ') });
      const body = { software, gateway, site, customerId: customerId && typedId(customerId), why };
      const explanation = (await api(command).post('/explain', body)) as Answer;
      answer({ value: explanation, lines: explanationLines(explanation) });
    });
}

const marks: Record<RungStatus, string> = { yes: '○', no: '×', waiting: '…' };

export function explanationLines({ result, rungs, firstMissing, at }: Pick<Answer, 'result' | 'rungs' | 'firstMissing' | 'at'>): string[] {
  const first = rungs.find(({ id }) => id === firstMissing);
  return [
    `提供条件: ${result}  （${shownValue(at)} 現在）`,
    ...rungs.flatMap((rung) => rungLines(rung, rung === first)),
    first === undefined ? '→ 動作しています / running' : `→ ${first.question.ja} / ${first.question.en}  (${first.id})`,
  ];
}

function rungLines({ status, question, reasons, clause, inputs, since }: Rung, isFirst: boolean): string[] {
  const facts = Object.entries(inputs).map(([name, value]) => `${name}=${shownValue(value)}`);
  return [
    `${isFirst ? '▶' : ' '}${marks[status]} ${question.ja}  ${question.en}${since === null ? '' : `  （${shownValue(since)} から）`}`,
    ...(facts.length === 0 ? [] : [`     ${facts.join('  ')}`]),
    ...reasons.flatMap(({ number, ja, en, remedy, who }) => [
      `     ${number} ${ja}`,
      `     ${en}`,
      `     対処（${who in whoLabels ? whoLabels[who as keyof typeof whoLabels].ja : who}）: ${remedy.ja}`,
    ]),
    ...(status === 'no' && clause !== null ? [`     提供条件等『${clause}』`] : []),
  ];
}

const isoTime = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;

/** Times as the clock on the wall shows them, in Japan; lists without brackets. */
function shownValue(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.map(shownValue).join(',') || '-';
  if (typeof value === 'object') return JSON.stringify(value);
  return typeof value === 'string' && isoTime.test(value) ? japanTime(Date.parse(value)) : String(value);
}

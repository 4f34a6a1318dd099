/** explain: why is it on that gateway, or why is it not. */
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Explanation, RungStatus } from '../rules/explain.ts';
import { customerIdHelp, typedId } from './customer-verbs.ts';
import type { Verbs } from './program.ts';

export function addExplainVerb({ verb, answer, api }: Verbs): void {
  verb('explain', 'the whole ladder from contract to disk, and the first step that is missing（なぜ入っていないのか）')
    .argument('<where-and-software...>', '<gateway> <software>, or with an option only <software>')
    .option('--site <id>', 'a site instead of a gateway')
    .option('--customer-id <id>', `a customer instead of a gateway: ${customerIdHelp}`)
    .action(async (words: string[], options, command: Command) => {
      const [software, gateway, ...others] = [...words].reverse();
      if (software === undefined || others.length > 0) throw new TsugiteError('USAGE_WRONG', { at: words.join(' ') });
      const body = { software, gateway, site: options.site, customerId: options.customerId && typedId(options.customerId) };
      const explanation = (await api(command).post('/explain', body)) as Explanation & Record<string, unknown>;
      answer({ value: explanation, lines: linesOf(explanation) });
    });
}

const marks: Record<RungStatus, string> = { yes: '○', no: '×', waiting: '…' };

function linesOf({ result, rungs, firstMissing }: Explanation): string[] {
  return [
    `提供条件: ${result}`,
    ...rungs.flatMap((rung) => [
      `${marks[rung.status]} ${rung.question.ja}  ${rung.question.en}`,
      ...rung.reasons.flatMap(({ number, ja, en, remedy, who }) => [
        `    ${number} ${ja}`,
        `    ${en}`,
        `    対処（${who}）: ${remedy.ja}`,
      ]),
      ...(rung.status === 'no' && rung.clause !== undefined ? [`    提供条件等「${rung.clause}」`] : []),
    ]),
    firstMissing === undefined ? '→ 動作しています / running' : `→ ${firstMissing}`,
  ];
}

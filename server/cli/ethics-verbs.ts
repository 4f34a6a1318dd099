/** ethics …: complaints about software and the third party's review（倫理審査）. */
import { type Command, Option } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Complained } from '../flows/ethics.ts';
import type { Verbs } from './program.ts';

export function addEthicsVerbs({ verb, show, answer, api }: Verbs): void {
  const at = (id: string, rest = '') => `/ethics/cases/${encodeURIComponent(id)}${rest}`;
  verb(
    'ethics open',
    'write down a complaint; one about the content pauses new deliveries until a third party has decided（苦情・申告を登録する）',
  )
    .argument('<software>', 'software id')
    .addOption(
      new Option('--kind <kind>', 'what it is about; only content and report lead to a review')
        .choices(['content', 'report', 'billing', 'quality', 'other'])
        .makeOptionMandatory(),
    )
    .requiredOption('--said <text>', 'what was said; no personal data')
    .option('--received <day>', 'day in Japan, YYYY-MM-DD (default: today)')
    .action(async (software, { kind, said, received }, command: Command) => {
      const body = { kind, said, receivedOn: received };
      const done = (await api(command).post(`/software/${encodeURIComponent(software)}/complaints`, body)) as Complained;
      answer({ value: done, lines: [`${done.software}  ${done.state}`, `  ${outcomes[done.outcome]}`, `  case ${done.case ?? '-'}`] });
    });
  verb('ethics list', 'ethics cases, newest first（倫理審査の一覧）')
    .option('--software <id>', 'of this software')
    .action(async ({ software }, command: Command) => show(await api(command).list('/ethics/cases', { software }), 'cases'));
  verb('ethics show', 'a case with its complaints and notes')
    .argument('<case>', 'id of the case')
    .action(async (id, _options, command: Command) => show(await api(command).get(at(id))));
  verb('ethics note', 'add a note or evidence to a case（記録を追加する）')
    .argument('<case>', 'id of the case')
    .requiredOption('--text <text>', 'the note; no personal data')
    .option('--evidence', 'it is evidence')
    .option('--document <sha256>', 'digest of a paper that is kept elsewhere')
    .action(async (id, { text, evidence, document }, command: Command) =>
      show(await api(command).post(at(id, '/notes'), { kind: evidence === true ? 'evidence' : 'note', text, document })),
    );
  verb('ethics decide', 'the third party’s decision: passed resumes deliveries, failed prohibits and removes（審査結果を登録する）')
    .argument('<case>', 'id of the case')
    .option('--passed', '問題なし')
    .option('--failed', '配信禁止')
    .requiredOption('--reviewer <name>', '第三者機関: who decided')
    .requiredOption('--reason <text>', 'why')
    .action(async (id, { passed, failed, reviewer, reason }, command: Command) => {
      if ((passed === true) === (failed === true)) throw new TsugiteError('USAGE_WRONG', { at: '--passed | --failed' });
      show(await api(command).post(at(id, '/decide'), { verdict: passed === true ? 'passed' : 'failed', reviewer, reason }));
    });
}

const outcomes = {
  'open-case': '倫理審査を開始し、新たな配信を停止しました / a case was opened, new deliveries are paused',
  'join-case': '審査中の案件に追加しました / added to the open case',
  record: '記録しました（倫理審査の対象外）/ written down, no review',
} as const satisfies Record<Complained['outcome'], string>;

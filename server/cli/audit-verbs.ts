/** audit …: the log of who changed or read what. */
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import { type AuditHead, writeAuditHead } from '../rules/audit-chain.ts';
import type { ChainFault } from '../rules/audit-check.ts';
import { asLines } from './as-lines.ts';
import type { Verbs } from './program.ts';

export function addAuditVerbs({ verb, answer, api }: Verbs): void {
  verb('audit list', 'who changed or read what, newest first（監査記録の一覧）')
    .option('--actor <label>', 'only what this holder of a token did')
    .option('--action <name>', 'only this action (customer.read), or all that begin so (customer)')
    .option('--subject <id>', 'only what was done to this')
    .option('--from <day>', 'from this day in Japan on, YYYY-MM-DD')
    .option('--to <day>', 'up to and with this day')
    .option('--limit <n>', 'so many rows, at most 1000', '50')
    .option('--after <seq>', 'go on behind this number')
    .action(async ({ actor, action, subject, from, to, limit, after }, command: Command) => {
      const listed = (await api(command).get('/audit', { actor, action, subject, from, to, limit, after })) as Listed;
      answer({ value: { rows: listed.items, next: listed.next }, lines: [...asLines(listed.items.map(shown)), ...goOn(listed)] });
    });
  verb('audit verify', 'is the audit log still the one that was written（監査記録の検証）')
    .option('--head <seq:hash>', 'a head that you kept: only it shows whether the end was cut off or written anew')
    .action(async ({ head }, command: Command) => {
      const verdict = (await api(command).get('/audit/verify', { head })) as Verdict;
      if (!verdict.isWhole)
        throw new TsugiteError('AUDIT_BROKEN', {
          ...verdict,
          count: verdict.faultCount,
          first: verdict.faults[0]?.seq,
          found: faultsOf(verdict),
        });
      answer({ value: verdict, lines: linesOf(verdict) });
    });
}

type Listed = { items: { seq: number; at: string; actor: string; action: string; subject: string; detail: object }[]; next: string | null };
type Verdict = {
  isWhole: boolean;
  rows: number;
  head: AuditHead | null;
  faults: ChainFault[];
  faultCount: number;
  headsHeld: number;
  headsGivenUp: number;
  restored: { seq: number; at: string; base: number }[];
};

const shown = ({ seq, at, actor, action, subject, detail }: Listed['items'][number]) => ({ seq, at, actor, action, subject, detail });

function goOn({ next }: Listed): string[] {
  return next === null ? [] : [`続き / more: --after ${next}`];
}

function linesOf({ rows, head, headsHeld, restored }: Verdict): string[] {
  return [
    `監査記録は書き込まれたときのままです / is whole: ${rows} 行`,
    `  控えてある番号との照合 / kept heads that hold: ${headsHeld}`,
    ...restored.map(({ seq, at, base }) => `  ${at} 番号 ${base} までのバックアップから復元 / restored up to ${base}（${seq}）`),
    head === null ? '  まだ何もありません / nothing yet' : '  次の値を、サーバーの外に控えてください / keep this elsewhere:',
    ...(head === null ? [] : [`    ${writeAuditHead(head)}`]),
  ];
}

const words: Readonly<Record<ChainFault['kind'], string>> = {
  changed: '内容が変更されています / was changed',
  moved: '別の番号から移されています / was moved here',
  replaced: '別のものに置き換えられています / was replaced',
  inserted: '挿入されています / was inserted',
  removed: '削除されています / was removed',
  rewritten: 'ここまでの記録が書き直されています / was written anew, up to here at least',
  'cut-off': '末尾が削除されています / the end was cut off',
};

function faultsOf({ faults }: Verdict): string[] {
  return faults.map((fault) => {
    const to = 'to' in fault && fault.to !== fault.seq ? `–${fault.to}` : '';
    const from = 'from' in fault ? ` ← ${fault.from}` : '';
    return `${fault.seq}${to}${from} ${words[fault.kind]}`;
  });
}

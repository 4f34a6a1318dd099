/** report not-delivered: what was ordered and does not run, and who has to act（配信されていないもの）. */
import { type Command, Option } from 'commander';
import { whoLabels } from '../../protocol/errors.ts';
import type { NotDelivered, NotDeliveredSum } from '../flows/not-delivered.ts';
import { japanTime } from '../rules/japan-day.ts';
import { ages } from '../rules/not-delivered.ts';
import type { Verbs } from './program.ts';

export function addNotDeliveredVerb({ verb, answer, api }: Verbs): void {
  verb('report not-delivered', 'ordered and not running: since when, why, and who has to act（配信されていないもの）')
    .option('--software <id>', 'of this software')
    .option('--provider <id>', 'of this provider')
    .addOption(new Option('--who <who>', 'who has to act').choices(Object.keys(whoLabels)))
    .addOption(new Option('--age <age>', 'since how long it stands so').choices(ages.map(({ id }) => id)))
    .option('--sum', 'only the numbers')
    .action(async ({ sum, ...query }, command: Command) => {
      const server = api(command);
      const numbers = (await server.get('/report/not-delivered/sum', query)) as NotDeliveredSum;
      if (sum === true) return answer({ value: { ...numbers }, lines: sumLines(numbers) });
      const rows = (await server.list('/report/not-delivered', query)) as NotDelivered[];
      answer({ value: { ...numbers, items: rows }, lines: [...sumLines(numbers), ...rows.flatMap(rowLines)] });
    });
}

function sumLines({ targets, byWho, byReason }: NotDeliveredSum): string[] {
  const lines = (title: string, counts: NotDeliveredSum['byWho'], label: (name: string) => string) =>
    Object.entries(counts).map(
      ([name, of]) => `  ${title} ${label(name)}: ${of.targets}件  ${ages.map(({ id }) => `${words[id]} ${of.ages[id] ?? 0}`).join('  ')}`,
    );
  return [
    `配信されていないもの / not delivered: ${targets}件`,
    ...lines('対処', byWho, (name) => (name in whoLabels ? whoLabels[name as keyof typeof whoLabels].ja : name)),
    ...lines('理由', byReason, (name) => name),
  ];
}

const words = { day: '1日未満', week: '7日未満', month: '30日未満', longer: '30日以上' } as const;

/** As JSON a Date is a text. */
const told = (at: Date) => japanTime(Date.parse(String(at)));

function rowLines({ target, software, gateway, state, orderedAt, since, because, who, reason }: NotDelivered): string[] {
  return [
    `${software}  ${gateway ?? '-'}  ${state}  申込 ${told(orderedAt)}  ${told(since)} から  対処: ${whoLabels[who].ja}`,
    reason === null ? '    自動的に進みます / it goes on by itself' : `    ${reason.number} ${reason.ja}${reason.remedy.ja}`,
    `    target ${target}  (${because})`,
  ];
}

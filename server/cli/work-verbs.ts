/** work …: work orders（工事）, several software in one, other changes, and the word that a work is done. */
import { type Command, Option } from 'commander';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { grouped } from '../../protocol/text-table.ts';
import type { Verbs } from './program.ts';

export function addWorkVerbs({ verb, answer, show, api }: Verbs): void {
  const at = (order: string, rest = '') => `/work-orders/${encodeURIComponent(order)}${rest}`;

  verb('work list', 'work orders, the newest first（工事の一覧）')
    .addOption(new Option('--state <state>', 'only these').choices(['OPEN', 'COMPLETED', 'CANCELLED']))
    .option('--provider <id>', 'of this provider')
    .action(async ({ state, provider }, command: Command) => {
      const orders = (await api(command).list('/work-orders', { state, provider })) as Order[];
      answer({
        value: { orders },
        lines: orders.length === 0 ? ['（なし / none）'] : orders.flatMap((order) => linesOf(order)),
      });
    });
  verb('work show', 'a work order, and while it is open its price（工事の内容）')
    .argument('<order>', 'id of the order')
    .action(async (order, _options, command: Command) => answer(answerOf((await api(command).get(at(order))) as Order)));
  verb('work open', 'open a work order for a provider（工事を受け付ける）')
    .requiredOption('--provider <id>', 'provider id')
    .option('--note <text>', 'what it is about')
    .action(async ({ provider, note }, command: Command) =>
      answer(answerOf((await api(command).post('/work-orders', { provider, note })) as Order)),
    );
  verb('work add', 'put an upload, or an other change of a software, into an open order（工事に追加する）')
    .argument('<order>', 'id of the order')
    .option('--release <id>', 'a release that its provider has uploaded (upload list): 新設 or 変更')
    .option('--package <file>', 'a .tsg file, uploaded now')
    .option('--software <id>', 'a registered software: その他変更')
    .option('--note <text>', 'with --software: what is changed')
    .action(async (order, { release, package: file, software, note }, command: Command) => {
      const given = [release, file, software].filter((one) => one !== undefined);
      if (given.length !== 1 || (software === undefined) !== (note === undefined))
        throw new TsugiteError('USAGE_WRONG', { at: '--release ID | --package FILE | --software ID --note TEXT' });
      const client = api(command);
      const uploaded = file === undefined ? undefined : ((await client.upload('/uploads', file)) as { release: string });
      const body = { release: uploaded?.release ?? release, software, note };
      answer(answerOf((await client.post(at(order, '/items'), body)) as Order));
    });
  verb('work complete', 'the work is done: register, publish, and its fees are due（工事を完了する）')
    .argument('<order>', 'id of the order')
    .action(async (order, _options, command: Command) => answer(answerOf((await api(command).post(at(order, '/complete'))) as Order)));
  verb('work cancel', 'cancel an open order; nothing is charged（工事を取り消す）')
    .argument('<order>', 'id of the order')
    .requiredOption('--reason <text>', 'why')
    .action(async (order, { reason }, command: Command) =>
      answer(answerOf((await api(command).post(at(order, '/cancel'), { reason })) as Order)),
    );

  verb('upload list', 'what providers have uploaded and not registered（登録待ちの一覧）').action(async (_options, command: Command) =>
    show(await api(command).list('/uploads'), 'uploads'),
  );
  verb('upload discard', 'drop an upload that will not be registered（アップロードを取り消す）')
    .argument('<release>', 'id of the release')
    .action(async (release, _options, command: Command) =>
      show(await api(command).post(`/uploads/${encodeURIComponent(release)}/discard`)),
    );
}

type Price = { oneOffYen: number; monthlyYen: number };
type Order = {
  order: string;
  provider: string;
  state: string;
  note: string;
  createdAt: string;
  completedAt: string | null;
  cancelReason: string | null;
  accepted: (Price & { by: string; at: string }) | null;
  items: { software: string; work: string; version: string | null; note: string; releaseState: string | null }[];
  price?: Price | null;
  obstacle?: { code: string } | null;
};

const workNames: Readonly<Record<string, string>> = { new: '新設', change: '変更', other: 'その他変更' };

function answerOf(order: Order): Answer {
  return { value: { ...order }, lines: linesOf(order) };
}

function linesOf({
  order,
  provider,
  state,
  note,
  createdAt,
  completedAt,
  cancelReason,
  accepted,
  items,
  price,
  obstacle,
}: Order): string[] {
  const yen = ({ oneOffYen, monthlyYen }: Price) => `一時費用 ${grouped(oneOffYen)} 円、月額 ${grouped(monthlyYen)} 円`;
  return [
    `${order}  ${provider}  ${state}  ${completedAt ?? createdAt}`,
    ...(note === '' ? [] : [`  ${note}`]),
    ...items.map((item) => `  ${workNames[item.work] ?? item.work}  ${item.software} ${item.version ?? ''}  ${item.note}`.trimEnd()),
    ...(accepted === null ? [] : [`  承諾済み / accepted: ${yen(accepted)}（${accepted.by}）`]),
    ...(price === null || price === undefined ? [] : [`  現在の料金 / price now: ${yen(price)}`]),
    ...(obstacle === null || obstacle === undefined ? [] : [`  登録できません / cannot be registered: ${obstacle.code}`]),
    ...(cancelReason === null ? [] : [`  取り消し / cancelled: ${cancelReason}`]),
  ];
}

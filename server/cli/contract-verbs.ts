/** contract …: what happens to a contract, and the ends of days (DOMAIN D-31). */
import { type Command, Option } from 'commander';
import type { Answer } from '../../protocol/command-output.ts';
import { whyHelp } from './customer-verbs.ts';
import { placeOf, withPlace } from './place-options.ts';
import type { Verbs } from './program.ts';

type Options = Record<string, string | undefined>;
type Kind = { name: string; ja: string; en: string; options: (command: Command) => Command; detail: (options: Options) => object };

const lineOption = () =>
  new Option('--line <kind>', '回線').choices(['LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER', 'CROSS']);
const asIs = (command: Command) => command;
const bare = (name: string, ja: string, en: string): Kind => ({ name, ja, en, options: asIs, detail: () => ({}) });
const carrierOf = (name: string | undefined) => (name === 'NONE' ? null : name);

const kinds: readonly Kind[] = [
  bare('cancel-line', '回線の解約', 'the line is cancelled'),
  bare('cancel-hgw', 'ホームゲートウェイの解約', 'the home gateway contract is cancelled'),
  {
    name: 'start-line',
    ja: '回線の新規契約（同じお客さまID）',
    en: 'a new line under the same customer ID',
    options: (command) => command.addOption(lineOption().makeOptionMandatory()).option('--carrier <name>', '光コラボレーション事業者'),
    detail: ({ line, carrier }) => ({ line, collabCarrier: carrierOf(carrier) }),
  },
  {
    name: 'transfer',
    ja: '転用',
    en: 'the line moves to a collaboration carrier',
    options: (command) => command.requiredOption('--carrier <name>', '光コラボレーション事業者').addOption(lineOption()),
    detail: ({ line, carrier }) => ({ line, collabCarrier: carrier }),
  },
  {
    name: 'change-carrier',
    ja: '事業者変更',
    en: 'the line moves to another carrier',
    options: (command) => command.requiredOption('--carrier <name>', '変更先の光コラボレーション事業者, or NONE').addOption(lineOption()),
    detail: ({ line, carrier }) => ({ line, collabCarrier: carrierOf(carrier) }),
  },
  {
    name: 'relocate',
    ja: '移転',
    en: 'the customer moves, same contract',
    options: (command) => command.addOption(lineOption()),
    detail: ({ line }) => ({ line }),
  },
  {
    name: 'change-line',
    ja: '品目変更',
    en: 'another kind of line',
    options: (command) => command.addOption(lineOption().makeOptionMandatory()),
    detail: ({ line }) => ({ line }),
  },
  {
    name: 'swap-device',
    ja: '機器交換',
    en: 'another home gateway: everything is delivered to it, the old one is cut off',
    options: (command) =>
      command
        .requiredOption('--new-gateway <id>', 'id of the new gateway')
        .option('--model <model>', 'its model, when it is not registered yet'),
    detail: ({ newGateway, model }) => ({ gateway: newGateway, model }),
  },
  bare('cancel-phone', 'ひかり電話の解約', 'Hikari Denwa is cancelled'),
  {
    name: 'start-phone',
    ja: 'ひかり電話の開始',
    en: 'Hikari Denwa starts',
    options: (command) =>
      command.addOption(new Option('--denwa <kind>', 'ひかり電話').choices(['STANDARD', 'OFFICE_TYPE', 'OFFICE_A']).default('STANDARD')),
    detail: ({ denwa }) => ({ denwa }),
  },
  bare('start-rental', 'ホームゲートウェイ（レンタル）の開始', 'a home gateway rental starts'),
  bare('end-rental', 'ホームゲートウェイ（レンタル）の終了', 'the home gateway rental ends'),
  bare('type-change-completed', 'ひかり電話タイプ変更の完了', 'the Hikari Denwa type change is completed'),
  {
    name: 'provider-cancel',
    ja: '事業者との契約の終了',
    en: "the customer's contract with the provider ends",
    options: (command) => command.requiredOption('--provider <id>', '事業者').option('--software <id>', 'only this software'),
    detail: ({ provider, software }) => ({ provider, software }),
  },
];

export function addContractVerbs({ verb, show, answer, api }: Verbs): void {
  for (const { name, ja, en, options, detail } of kinds)
    options(withPlace(verb(`contract ${name}`, `${en}; acts at the end of its day（${ja}）`)))
      .option('--effective <day>', '効力が生じる日: day in Japan, YYYY-MM-DD (default: today)')
      .action(async (given: Options, command: Command) => {
        const body = { at: placeOf(given), event: { kind: name, detail: detail(given) }, effectiveOn: given.effective };
        answer(enteredAnswer((await api(command).post('/contract/events', body)) as Entered));
      });

  withPlace(verb('contract list', 'the contract events of a site; audited（契約イベントの一覧）'))
    .requiredOption('--why <text>', whyHelp)
    .action(async (given: Options, command: Command) =>
      show(await api(command).list('/contract/events/search', {}, { at: placeOf(given), why: given.why }), 'events'),
    );
  verb('contract void', 'take back an event that has not acted yet（取り消す）')
    .argument('<event>', 'number of the event')
    .requiredOption('--reason <text>', 'why')
    .action(async (event, { reason }, command: Command) =>
      show(await api(command).post(`/contract/events/${encodeURIComponent(event)}/void`, { reason })),
    );
  verb('contract evaluate', 'evaluate the days through this one now（一日の終わりの判定を行う）')
    .option(
      '--through <day>',
      'today, or a day in Japan YYYY-MM-DD (default: yesterday); what is entered for today afterwards is judged apart',
    )
    .action(async ({ through }, command: Command) =>
      answer(evaluatedAnswer((await api(command).post('/contract/evaluate', { through })) as Evaluated)),
    );
}

type Entered = { event: number; kind: string; site: string; effectiveOn: string; ja: string };
function enteredAnswer(value: Entered): Answer {
  return { value, lines: [`${value.event}  ${value.ja}  ${value.effectiveOn}`, `  site ${value.site}`] };
}

type Evaluated = {
  through: string;
  sites: number;
  moves: { target: string; software: string; from: string; to: string; codes: string[] }[];
};
function evaluatedAnswer(value: Evaluated): Answer {
  return {
    value,
    lines: [
      `～ ${value.through}  拠点 / sites: ${value.sites}`,
      ...value.moves.map(({ target, software, from, to, codes }) =>
        `  ${software} ${target}: ${from} → ${to}  ${codes.join(' ')}`.trimEnd(),
      ),
    ],
  };
}

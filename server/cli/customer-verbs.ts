/** customer …: customers, their sites, and what is under contract there. */
import { type Command, Option } from 'commander';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { readInput } from './api-client.ts';
import type { Verbs } from './program.ts';

export function addCustomerVerbs({ verb, show, answer, api }: Verbs): void {
  withFacts(verb('customer add', 'register a customer and the contract facts of its site（お客さまを登録する）'))
    .requiredOption('--customer-id <id>', customerIdHelp)
    .option('--label <text>', 'a name for the site; no personal data')
    .action(async (options, command: Command) => {
      const body = { customerId: typedId(options.customerId), label: options.label, facts: factsOf(options) };
      answer(siteAnswer((await api(command).post('/customers', body)) as SiteAnswer));
    });
  verb('customer find', 'the random ids of a customer; audited')
    .requiredOption('--customer-id <id>', customerIdHelp)
    .requiredOption('--why <text>', whyHelp)
    .action(async ({ customerId, why }, command: Command) =>
      show(await api(command).post('/customers/search', { customerId: typedId(customerId), why })),
    );
  verb('customer show', 'what is under contract at a site; audited')
    .argument('<site>', 'site id')
    .requiredOption('--why <text>', whyHelp)
    .action(async (site, { why }, command: Command) => show(await api(command).post('/sites/search', { at: { site }, why })));
  withFacts(verb('customer change', 'change contract facts; they act on targets at once（契約内容を変更する）'))
    .argument('<site>', 'site id')
    .option('--effective <day>', 'day in Japan, YYYY-MM-DD (default: today)')
    .action(async (site, options, command: Command) => {
      const body = { changes: factsOf(options), effectiveOn: options.effective };
      answer(siteAnswer((await api(command).post(`/sites/${encodeURIComponent(site)}/facts`, body)) as SiteAnswer));
    });
}

export const whyHelp = 'for what the customer’s data are read; it stands in the audit';

/** An お客さまID on a command line stands in the list of processes for everybody to read: `-` takes it from standard input. */
export const customerIdHelp = 'お客さまID, or - to read it from standard input';
export function typedId(text: string): string {
  return text === '-' ? readInput('/dev/stdin').trim() : text;
}

type SiteAnswer = {
  customer?: string;
  site: string;
  eligibility: { result: string; fired: { code: string; clause: string }[] };
  moves?: { target: string; software: string; from: string; to: string }[];
};

function siteAnswer(value: SiteAnswer): Answer {
  return {
    value,
    lines: [
      ...(value.customer === undefined ? [] : [`customer  ${value.customer}`]),
      `site      ${value.site}`,
      `提供条件  ${value.eligibility.result}`,
      ...value.eligibility.fired.map(({ code, clause }) => `  ${code}  「${clause}」`),
      ...(value.moves ?? []).map(({ target, software, from, to }) => `  ${software} ${target}: ${from} → ${to}`),
    ],
  };
}

const yesNo = ['yes', 'no'];

function withFacts(command: Command): Command {
  return command
    .addOption(
      new Option('--line <kind>', '回線').choices([
        'LIGHT_PLUS',
        'LIGHT',
        'NEXT_GIGA_SMART',
        'NEXT_GIGA_LINE',
        'NEXT_OTHER',
        'CROSS',
        'NONE',
      ]),
    )
    .addOption(new Option('--access <kind>', '光コラボか').choices(['DIRECT', 'COLLAB']))
    .option('--carrier <name>', '光コラボレーション事業者')
    .option('--hgw <model>', 'ホームゲートウェイの機種, or NONE')
    .addOption(new Option('--denwa <kind>', 'ひかり電話').choices(['NONE', 'STANDARD', 'OFFICE_TYPE', 'OFFICE_A']))
    .addOption(new Option('--rental <yes|no>', 'ホームゲートウェイ（レンタル）').choices(yesNo))
    .addOption(new Option('--office-eq <state>', '電話オフィスの機器').choices(['yes', 'no', 'unknown']))
    .addOption(new Option('--bflets <yes|no>', 'Bフレッツからの移行').choices(yesNo))
    .addOption(new Option('--type-changed <state>', 'ひかり電話タイプ変更').choices(['none', 'applied', 'completed']))
    .addOption(new Option('--line-cancelled <yes|no>', '回線の解約').choices(yesNo))
    .addOption(new Option('--hgw-cancelled <yes|no>', 'ホームゲートウェイの解約').choices(yesNo));
}

function factsOf(options: Record<string, string | undefined>): Record<string, unknown> {
  const flag = (text: string | undefined) => (text === undefined ? undefined : text === 'yes');
  const facts = {
    line: options.line,
    access: options.access,
    collabCarrier: options.carrier,
    hgwModel: options.hgw === 'NONE' ? null : options.hgw,
    denwa: options.denwa,
    rental: flag(options.rental),
    officeEq: options.officeEq,
    bflets: flag(options.bflets),
    typeChanged: options.typeChanged,
    lineCancelled: flag(options.lineCancelled),
    hgwCancelled: flag(options.hgwCancelled),
  };
  const given = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  if (Object.keys(given).length === 0) throw new TsugiteError('USAGE_WRONG', { at: '--line …' });
  return given;
}

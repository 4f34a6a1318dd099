/** customer disclose, customer erase: what a customer may ask for（開示・消去のご請求）. */
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Disclosed, Erased } from '../flows/privacy.ts';
import { customerIdHelp, typedId, whyHelp } from './customer-verbs.ts';
import type { Verbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

type Options = { readonly customerId?: string; readonly customer?: string; readonly why: string };

export function addPrivacyVerbs({ verb, answer, api }: Verbs): void {
  withWho(verb('customer disclose', 'everything that is held of a customer, into a file of your own; audited（保有する情報を開示する）'))
    .requiredOption('--out <file>', 'JSON file to write, for your eyes only')
    .action(async ({ out, ...who }, command: Command) => {
      const disclosed = (await api(command).post('/customers/disclose', bodyOf(who))) as Disclosed;
      writeNew(out, `${JSON.stringify(disclosed, null, 2)}\n`, 0o600);
      const rows = Object.entries(disclosed.tables).map(([name, table]) => ({ name, count: table.rows.length }));
      answer({
        value: { customer: disclosed.customer, out, rows: Object.fromEntries(rows.map(({ name, count }) => [name, count])) },
        lines: [`${out}  customer ${disclosed.customer}`, ...rows.map(({ name, count }) => `  ${name.padEnd(24)}${count}`)],
      });
    });
  withWho(verb('customer erase', 'erase a customer; what a charge rests on stays without a name（お客さまの情報を消去する）'))
    .option('--yes', 'it cannot be taken back: say so')
    .action(async ({ yes, ...who }, command: Command) => {
      if (yes !== true) throw new TsugiteError('USAGE_WRONG', { at: '--yes' });
      const erased = (await api(command).post('/customers/erase', bodyOf(who))) as Erased;
      answer({ value: erased, lines: linesOf(erased) });
    });
}

function linesOf({ customer, isFinished, finishesAt, erased }: Erased): string[] {
  return [
    `customer ${customer}`,
    isFinished
      ? '  消去しました / erased'
      : `  お名前につながる情報を消去しました。残りはホームゲートウェイからの削除後、遅くとも ${finishesAt} までに消去します / the rest follows`,
    ...Object.entries(erased).map(([name, count]) => `  ${name.padEnd(24)}${count}`),
  ];
}

function withWho(command: Command): Command {
  return command
    .option('--customer-id <id>', customerIdHelp)
    .option('--customer <id>', 'random id of the customer, in place of the お客さまID')
    .requiredOption('--why <text>', whyHelp);
}

/** @throws TsugiteError USAGE_WRONG: not exactly one of the two */
function bodyOf({ customerId, customer, why }: Options): object {
  if ((customerId === undefined) === (customer === undefined)) throw new TsugiteError('USAGE_WRONG', { at: '--customer-id | --customer' });
  return { customerId: customerId && typedId(customerId), customer, why };
}

/** catalogue: which lines and gateways the service is offered over, on a day. */
import type { Command } from 'commander';
import type { CatalogueOn } from '../rules/catalogue-on.ts';
import type { Verbs } from './program.ts';

export function addCatalogueVerb({ verb, answer, api }: Verbs): void {
  verb('catalogue', 'the lines and gateway series in force on a day（対象の回線と機種）')
    .option('--on <day>', 'day in Japan, YYYY-MM-DD (default: today)')
    .action(async ({ on }, command: Command) => {
      const catalogue = (await api(command).get('/catalogue', { on })) as CatalogueOn;
      answer({ value: catalogue, lines: linesOf(catalogue) });
    });
}

const standings = {
  'in-force': '○ 対象 / in force',
  'no-new-orders': '△ 新規受付終了 / no new orders',
  'not-yet': '－ 開始前 / not yet',
  ended: '× 終了 / ended',
} as const satisfies Record<CatalogueOn['lines'][number]['standing'], string>;

function linesOf({ profile, day, lines, series }: CatalogueOn): string[] {
  return [
    `${day}  (${profile})`,
    '回線 / lines',
    ...lines.map((row) => `  ${row.line.padEnd(16)}${standings[row.standing]}  ${row.ja}${datesOf(row)}`),
    '機種 / gateway series',
    ...series.map((row) => `  ${row.series.padEnd(16)}${standings[row.standing]}  ${row.models.join(' ')}${datesOf(row)}`),
  ];
}

function datesOf({ validFrom, newOrdersUntil, validTo }: CatalogueOn['lines'][number] | CatalogueOn['series'][number]): string {
  const orders = newOrdersUntil === null ? '' : `、新規受付は ${newOrdersUntil} まで`;
  return `  （${validFrom} ～ ${validTo ?? ''}${orders}）`;
}

/** The table of docs/operations/privacy.md, from the list that the server goes by. */
import { configSchema } from '../../server/config.ts';
import { type DataTable, dataTables } from '../../server/rules/personal-data.ts';

export function privacyTable(): string {
  const rows = Object.entries(dataTables).map(
    ([name, table]) => `| \`${name}\` | ${table.holds} | ${keptOf(table)} | ${erasedOf(table)} |`,
  );
  return ['| table | holds | kept | when a customer is erased |', '|---|---|---|---|', ...rows].join('\n');
}

function keptOf({ kept }: DataTable): string {
  switch (kept.kind) {
    case 'installation':
      return 'as long as the installation';
    case 'customer':
      return 'as long as its customer';
    case 'with':
      return `with \`${kept.parent}\``;
    case 'own':
      return `\`${kept.where}\``;
    case 'days':
      return `${configSchema.parse({}).retention[kept.days]} days from ${kept.from.includes(' ') ? kept.from : `\`${kept.from}\``} (\`retention.${kept.days}\`)`;
  }
}

function erasedOf({ erase, isLast }: DataTable): string {
  const last = isLast === true ? ', once the gateway has let go' : '';
  switch (erase?.kind) {
    case 'delete':
      return `deleted${last}`;
    case 'blank':
      return `${Object.keys(erase.set)
        .filter((column) => column !== 'erased_at')
        .map((column) => `\`${column}\``)
        .join(', ')} emptied${last}`;
    case 'keep':
      return `stays: ${erase.why}`;
    default:
      return '–';
  }
}

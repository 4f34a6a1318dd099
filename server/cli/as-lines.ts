/** A value of the API as a person reads it in a terminal. */

/** A value as aligned lines: an object by its fields, a list as a table. */
export function asLines(value: unknown): string[] {
  if (Array.isArray(value)) return value.length === 0 ? ['（なし / none）'] : asTable(value as Record<string, unknown>[]);
  if (value === null || typeof value !== 'object') return [cell(value)];
  const entries = Object.entries(value);
  const width = Math.max(...entries.map(([name]) => name.length));
  return entries.flatMap(([name, entry]) =>
    Array.isArray(entry) && entry.some((one) => typeof one === 'object')
      ? [`${name}:`, ...asTable(entry as Record<string, unknown>[]).map((row) => `  ${row}`)]
      : [`${name.padEnd(width)}  ${cell(entry)}`],
  );
}

function asTable(rows: readonly Record<string, unknown>[]): string[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const cells = [names, ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => columns(row[column] as string))));
  return cells.map((row) =>
    row
      .map((text, column) => text + ' '.repeat((widths[column] as number) - columns(text)))
      .join('  ')
      .trimEnd(),
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** East Asian characters take two columns of a terminal. */
function columns(text: string): number {
  return [...text].reduce(
    (sum, character) =>
      sum + (/[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/.test(character) ? 2 : 1),
    0,
  );
}

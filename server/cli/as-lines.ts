/** A value of the API as a person reads it in a terminal. */
import { tableLines } from '../../protocol/text-table.ts';

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
  return tableLines([names, ...rows.map((row) => names.map((name) => cell(row[name])))]);
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

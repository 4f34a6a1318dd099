/** Tables that people open in a spreadsheet (RFC 4180), made safe for it. */

export type Cell = string | number | null;

/**
 * UTF-8 with this mark in front: without it a Japanese Excel takes the file for Shift_JIS and shows 契約料 as noise. Programs that read CSV as UTF-8
 * know it (Python: `utf-8-sig`); JSON, which has none, lies beside every table.
 */
export const byteOrderMark = '\uFEFF';

export function csvRow(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: Cell): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  // A spreadsheet runs what begins like a formula, full-width signs included, also inside quotes: an apostrophe makes it text again.
  const text = /^[\s\u200B\uFEFF]*[=+\-@＝＋－＠\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n']|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

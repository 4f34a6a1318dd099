/** Rows of text as a person reads them in a terminal, where East Asian characters take two columns. */

/** Columns as wide as their widest cell; the numbers of `toTheRight` stand under each other by their last digit. */
export function tableLines(rows: readonly (readonly string[])[], toTheRight: readonly number[] = []): string[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) => Math.max(...rows.map((row) => columnsOf(row[at] ?? ''))));
  return rows.map((row) =>
    row
      .map((cell, at) => {
        const space = ' '.repeat((widths[at] ?? 0) - columnsOf(cell));
        return toTheRight.includes(at) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

function columnsOf(text: string): number {
  return [...text].reduce((sum, character) => sum + (isWide.test(character) ? 2 : 1), 0);
}
const isWide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;

/** 1234567 as 1,234,567, whatever the machine's language. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

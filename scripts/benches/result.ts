/** What a bench says (DESIGN §8): rows of figures, and the goals that they are held to. */
export type Row = Readonly<Record<string, string | number>>;
export type Goal = { readonly id: string; readonly goal: number; readonly value: number; readonly unit: string; readonly met: boolean };
export type Measurement = { readonly rows: readonly Row[]; readonly goals: readonly Goal[] };
/** `rounds` as asked for on the command line; each bench has its own number otherwise. */
export type BenchOptions = { readonly rounds: number | undefined; readonly say: (line: string) => void };
export type Bench = (options: BenchOptions) => Promise<Measurement>;
export type BenchResult = Measurement & {
  readonly bench: string;
  readonly host: Readonly<Record<string, string | number>>;
  readonly at: string;
};

/** Every goal of ours is a ceiling. The value is judged as measured, and shown with three digits at most behind the point. */
export function atMost(id: string, goal: number, value: number, unit: string): Goal {
  return { id, goal, value: rounded(value), unit, met: value <= goal };
}

export function rounded(value: number, digits = 3): number {
  return Number(value.toFixed(digits));
}

export function toText({ bench, host, at, rows, goals }: BenchResult): string {
  return [
    `${bench}, ${at}`,
    ...Object.entries(host).map(([name, value]) => `  ${name}: ${value}`),
    '',
    ...byColumns(rows).flatMap((group) => [...table(group), '']),
    ...table(
      goals.map(({ id, goal, value, unit, met }) => ({ goal: id, 'at most': goal, measured: value, unit, met: met ? 'yes' : 'NO' })),
    ),
    '',
  ].join('\n');
}

/** Rows that follow each other and have the same columns stand in one table. */
function byColumns(rows: readonly Row[]): Row[][] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0] !== undefined && Object.keys(last[0]).join() === Object.keys(row).join()) last.push(row);
    else groups.push([row]);
  }
  return groups;
}

function table(rows: readonly Row[]): string[] {
  const columns = Object.keys(rows[0] ?? {});
  const isText = (column: string) => rows.some((row) => typeof row[column] === 'string');
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => String(row[column]).length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, at) => (isText(columns[at] ?? '') ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ')
      .trimEnd();
  return [line(columns), ...rows.map((row) => line(columns.map((column) => String(row[column]))))];
}

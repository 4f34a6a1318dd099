import { parseArgs } from 'node:util';

/** Named in the contract (DESIGN §8), and not there yet. */
export const notBuilt = ['bytes', 'sandbox'];

export type Asked =
  | { readonly kind: 'measure'; readonly bench: string; readonly isJson: boolean; readonly rounds: number | undefined }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly why: string };

/** @param built  the benches that there are */
export function readOptions(args: readonly string[], built: readonly string[]): Asked {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean' }, rounds: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    });
    if (values.help === true) return { kind: 'help' };
    const [bench, ...more] = positionals;
    if (bench === undefined || more.length > 0) return wrong('one bench is needed');
    if (notBuilt.includes(bench)) return wrong(`the bench '${bench}' is not built yet`);
    if (!built.includes(bench)) return wrong(`there is no bench '${bench}'`);
    if (values.rounds !== undefined && !/^[1-9]\d{0,2}$/.test(values.rounds)) return wrong('--rounds: 1 to 999');
    return {
      kind: 'measure',
      bench,
      isJson: values.json === true,
      rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    };
  } catch (error) {
    return wrong(error instanceof Error ? error.message : String(error));
  }
}

function wrong(why: string): Asked {
  return { kind: 'wrong', why };
}

/** The provider's kit at a desk of its own: a folder for its credentials, and a person (or nobody) at the terminal. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../../provider/program.ts';
import type { Surroundings } from '../../provider/surroundings.ts';
import type { CommandResult } from './tsugite.ts';

export type Kit = ReturnType<typeof aKit>;

/**
 * @param options.person     what somebody at the terminal answers, one after the other; undefined: nobody is there
 * @param options.input      standard input
 * @param options.environment TSUGITE_SERVER and TSUGITE_TOKEN
 */
export function aKit(folder = mkdtempSync(path.join(tmpdir(), 'tsugite-kit-'))) {
  const asked: string[] = [];
  const tsugite = async (
    argv: readonly string[],
    options: { person?: readonly string[]; input?: string; environment?: Surroundings['defaults']['fromEnvironment'] } = {},
  ): Promise<CommandResult> => {
    const { person, input = '', environment } = options;
    const answers = [...(person ?? [])];
    const answer = async (question: string) => {
      asked.push(question);
      return answers.shift() ?? '';
    };
    let [out, err] = ['', ''];
    const streams = {
      out: (text: string) => {
        out += text;
      },
      err: (text: string) => {
        err += text;
      },
    };
    const code = await run(argv, streams, {
      terminal: { isThere: person !== undefined, ask: answer, askSecret: answer, readInput: async () => input },
      defaults: { fromEnvironment: environment, folder },
      pausesMs: [1, 1, 1],
    });
    return { code, out, err, json: argv.includes('--json') ? JSON.parse(out) : {} };
  };
  return { folder, asked, tsugite };
}

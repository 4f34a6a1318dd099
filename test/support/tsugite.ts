/** The provider's command line inside the test's process: what it printed, and its exit code. */
import { run } from '../../provider/program.ts';

export type CommandResult = { code: number; out: string; err: string; json: Record<string, unknown> };

export async function tsugite(...argv: string[]): Promise<CommandResult> {
  let out = '';
  let err = '';
  const code = await run(argv, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
  });
  return { code, out, err, json: argv.includes('--json') ? JSON.parse(out) : {} };
}

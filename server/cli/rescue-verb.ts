/** token rescue: on the server's machine alone. */
import { loadConfig, type ServerConfig } from '../config.ts';
import type { IssuedToken } from '../flows/tokens.ts';
import { configOf, dataOf } from './local-verbs.ts';
import type { Verbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

export type Rescue = (dir: string, config: ServerConfig, person: string) => Promise<IssuedToken>;

export function addRescueVerb({ rescue, person }: { rescue: Rescue; person: string }): (verbs: Verbs) => void {
  return ({ verb, answer }) => {
    verb('token rescue', "an operator's token for one day, on this machine while the server is stopped（トークンを失くしたとき）")
      .option('--out <file>', 'write the token to this file (0600) instead of showing it')
      .action(async (options: { data?: string; config?: string; out?: string }) => {
        const { token, ...made } = await rescue(dataOf(options), loadConfig(configOf(options)), person);
        if (options.out !== undefined) writeNew(options.out, `${token}\n`, 0o600);
        answer({
          value: options.out === undefined ? { ...made, token } : { ...made, out: options.out },
          lines: [
            `運用者のトークン（1日有効） / an operator's token for one day  id ${made.id}`,
            options.out === undefined ? `  ${token}` : `  → ${options.out}`,
            '  token create で新しいトークンを発行してください / issue a lasting one with token create',
          ],
        });
      });
  };
}

/** token …, status: who may ask, and how the server is. */
import { type Command, Option } from 'commander';
import type { Verbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

export function addTokenVerbs({ verb, show, answer, api }: Verbs): void {
  verb('token create', 'issue an access token; it is shown once（トークンを発行する）')
    .addOption(
      new Option('--role <role>', 'what it may do').choices(['operator', 'provider', 'technician', 'viewer']).makeOptionMandatory(),
    )
    .option('--provider <id>', 'whose, with role provider')
    .requiredOption('--label <text>', 'who has it: stands in the audit log')
    .option('--days <n>', 'days until it expires', Number)
    .option('--out <file>', 'write the token to this file (0600) instead of showing it')
    .action(async ({ role, provider, label, days, out }, command: Command) => {
      const created = (await api(command).post('/tokens', { role, provider, label, days })) as {
        id: string;
        token: string;
        expires: string | null;
      };
      if (out !== undefined) writeNew(out, `${created.token}\n`, 0o600);
      const { token, ...shown } = created;
      answer({
        value: out === undefined ? created : { ...shown, out },
        lines: [`${label}（${role}）  id ${created.id}`, out === undefined ? `  ${token}` : `  → ${out}`],
      });
    });
  verb('token list', 'tokens, without the tokens').action(async (_options, command: Command) =>
    show(await api(command).list('/tokens'), 'tokens'),
  );
  verb('token replace', 'take a new token in place of your own, which is good for ten minutes more（トークンを更新する）')
    .option('--days <n>', 'days until the new one expires', Number)
    .option('--overlap-minutes <n>', 'minutes until the old one ends', Number)
    .option('--out <file>', 'write the new token to this file (0600) instead of showing it')
    .action(async ({ days, overlapMinutes, out }, command: Command) => {
      const { token, ...made } = (await api(command).post('/tokens/replace', { days, overlapMinutes })) as {
        id: string;
        token: string;
        expires: string;
        oldExpires: string;
      };
      if (out !== undefined) writeNew(out, `${token}\n`, 0o600);
      answer({
        value: out === undefined ? { ...made, token } : { ...made, out },
        lines: [
          `id ${made.id}  ${made.expires} まで / until`,
          out === undefined ? `  ${token}` : `  → ${out}`,
          `  旧 / old: ${made.oldExpires} まで / until`,
        ],
      });
    });
  verb('token revoke', 'end a token')
    .argument('<id>', 'token id')
    .action(async (id, _options, command: Command) => show(await api(command).post(`/tokens/${encodeURIComponent(id)}/revoke`)));
  verb('status', 'counts of everything').action(async (_options, command: Command) => show(await api(command).get('/status')));
}

/** gateway …: home gateways as the operator registers, invites and blocks them. */
import type { Command } from 'commander';
import type { Verbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

export function addGatewayVerbs({ verb, show, answer, api }: Verbs): void {
  const at = (gateway: string, rest = '') => `/gateways/${encodeURIComponent(gateway)}${rest}`;
  verb('gateway add', 'register a home gateway（ホームゲートウェイを登録する）')
    .argument('<gateway>', 'gateway id')
    .requiredOption('--model <model>', 'model, as PR-400KI')
    .option('--site <id>', 'site where it stands')
    .action(async (gateway, { model, site }, command: Command) => show(await api(command).post('/gateways', { gateway, model, site })));
  verb('gateway list', 'every gateway').action(async (_options, command: Command) =>
    show(await api(command).list('/gateways'), 'gateways'),
  );
  verb('gateway show', 'a gateway and its targets')
    .argument('<gateway>', 'gateway id')
    .action(async (gateway, _options, command: Command) => show(await api(command).get(at(gateway))));
  verb('gateway bind', 'put a gateway at a site')
    .argument('<gateway>', 'gateway id')
    .requiredOption('--site <id>', 'site id')
    .action(async (gateway, { site }, command: Command) => show(await api(command).post(at(gateway, '/bind'), { site })));
  verb('gateway block', 'refuse a gateway at every door')
    .argument('<gateway>', 'gateway id')
    .requiredOption('--reason <text>', 'why')
    .action(async (gateway, { reason }, command: Command) => show(await api(command).post(at(gateway, '/block'), { reason })));
  verb('gateway unblock', 'let a gateway in again')
    .argument('<gateway>', 'gateway id')
    .action(async (gateway, _options, command: Command) => show(await api(command).post(at(gateway, '/unblock'))));
  verb('gateway invite', 'write an invitation for enrolment, good for 24 hours（招待を作る）')
    .argument('<gateway>', 'gateway id')
    .requiredOption('--out <file>', 'invitation to write (0600): it is a secret until it is used')
    .action(async (gateway, { out }, command: Command) => {
      const invitation = (await api(command).post(at(gateway, '/invitations'))) as { https: string; mqtt: string };
      // Compact, as every message: an agent reads nothing else. No newline at its end for the same reason.
      writeNew(out, JSON.stringify(invitation), 0o600);
      answer({
        value: { gateway, out, https: invitation.https, mqtt: invitation.mqtt },
        lines: [`${gateway} → ${out}`, `  ${invitation.https}`, `  ${invitation.mqtt}`, '  24時間有効 / good for 24 hours'],
      });
    });
}

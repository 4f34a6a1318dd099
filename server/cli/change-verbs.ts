/** approve, change …, prohibit: what ends much, and the second person. */
import type { Command } from 'commander';
import type { Verbs } from './program.ts';

export function addChangeVerbs({ verb, show, api }: Verbs): void {
  const at = (change: string, rest = '') => `/changes/${encodeURIComponent(change)}${rest}`;
  verb('approve', "approve another person's change, and carry it out（承認する）")
    .argument('<change>', 'id of the change')
    .action(async (change, _options, command: Command) => show(await api(command).post(at(change, '/approve'))));
  verb('change list', 'changes that wait or waited for a second person').action(async (_options, command: Command) =>
    show(await api(command).list('/changes'), 'changes'),
  );
  verb('change show', 'a change and every target that it would end')
    .argument('<change>', 'id of the change')
    .action(async (change, _options, command: Command) => {
      const shown = (await api(command).get(at(change))) as object;
      show({ ...shown, targets: await api(command).list(at(change, '/targets')) });
    });
  verb('change decline', 'decline a change（却下する）')
    .argument('<change>', 'id of the change')
    .action(async (change, _options, command: Command) => show(await api(command).post(at(change, '/decline'))));
  verb('prohibit', 'no new delivery, and removal from every gateway（配信禁止）')
    .argument('<software>', 'software id')
    .requiredOption('--reason <text>', 'why')
    .action(async (software, { reason }, command: Command) =>
      show(await api(command).post(`/software/${encodeURIComponent(software)}/prohibit`, { reason })),
    );
  verb('software withdraw', 'take a software back: removal from every gateway（提供を終了する）')
    .argument('<software>', 'software id')
    .requiredOption('--reason <text>', 'why')
    .action(async (software, { reason }, command: Command) =>
      show(await api(command).post(`/software/${encodeURIComponent(software)}/withdraw`, { reason })),
    );
}

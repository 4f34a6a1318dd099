/** application …: a customer's way to a software in seven steps（お客さまがサービスを利用するまでの流れ）. */
import { type Command, Option } from 'commander';
import { applicationMachine } from '../rules/application.ts';
import { customerIdHelp, typedId } from './customer-verbs.ts';
import type { Verbs } from './program.ts';

export function addApplicationVerbs({ verb, show, api }: Verbs): void {
  const at = (id: string, rest = '') => `/applications/${encodeURIComponent(id)}${rest}`;
  verb('application open', 'step 1: a customer applied to the provider（サービス利用申し込み）')
    .argument('<software>', 'software id')
    .requiredOption('--reference <number>', "the provider's number of the application")
    .action(async (software, { reference }, command: Command) => show(await api(command).post('/applications', { software, reference })));
  verb('application step', 'step 2 to 4, or the end; step 5 is `target order --application`（手順を登録する）')
    .argument('<application>', 'id of the application')
    .addOption(
      new Option('--event <event>', 'what was done')
        .choices(['consulted', 'lineOrdered', 'lineInUse', 'guideSent', 'environmentPrepared', 'closed'])
        .makeOptionMandatory(),
    )
    .option('--customer-id <id>', `with lineInUse and guideSent: ${customerIdHelp}`)
    .addOption(new Option('--prepared-by <who>', 'with environmentPrepared').choices(['installer', 'customer', 'notNeeded']))
    .action(async (application, { event, customerId, preparedBy }, command: Command) =>
      show(await api(command).post(at(application, '/steps'), { event, customerId: customerId && typedId(customerId), preparedBy })),
    );
  verb('application list', 'applications, oldest first（申し込みの一覧）')
    .option('--software <id>', 'for this software')
    .addOption(new Option('--state <state>', 'in this state').choices(Object.keys(applicationMachine)))
    .action(async ({ software, state }, command: Command) =>
      show(await api(command).list('/applications', { software, state }), 'applications'),
    );
  verb('application show', 'an application with every step, what may come next, and who is paid for what')
    .argument('<application>', 'id of the application')
    .action(async (application, _options, command: Command) => show(await api(command).get(at(application))));
}

/** consent …: what customers agreed to, and what they took back（同意）. */
import { type Command, Option } from 'commander';
import type { Withdrawn } from '../flows/consents.ts';
import { consentScopes } from '../rules/consent.ts';
import { customerIdHelp, typedId, whyHelp } from './customer-verbs.ts';
import { placeOf, withPlace } from './place-options.ts';
import type { Verbs } from './program.ts';

export function addConsentVerbs({ verb, show, answer, api }: Verbs): void {
  withPlace(verb('consent record', 'register what a customer agreed to（同意を登録する）'))
    .requiredOption('--reference <number>', "the provider's number of the application")
    .addOption(new Option('--scope <scope...>', 'what was agreed to').choices(consentScopes).default(['delivery']))
    .option('--provider <id>', 'to whom; left out: to the operator (diagnostics only)')
    .option('--software <id>', 'only this software; left out: every software of the provider')
    .option('--by <who>', 'who gave it', 'お客さまご本人')
    .option('--how <how>', 'how it was given', 'サービス利用申し込み')
    .option('--at <time>', 'when, RFC 3339 (default: now)')
    .action(async ({ reference, scope, provider, software, by, how, at, ...place }, command: Command) => {
      const consent = { reference, scopes: scope, givenBy: by, givenHow: how, givenAt: at ?? new Date().toISOString() };
      show(await api(command).post('/consents', { at: placeOf(place), provider, software, consent }));
    });
  verb('consent list', 'consents of a customer, newest first; audited（同意の一覧）')
    .option('--customer-id <id>', customerIdHelp)
    .option('--customer <id>', 'random id of the customer')
    .option('--software <id>', 'about this software')
    .option('--reference <number>', "the provider's number")
    .requiredOption('--why <text>', whyHelp)
    .action(async ({ customerId, customer, software, reference, why }, command: Command) => {
      const body = { customerId: customerId && typedId(customerId), customer, software, reference, why };
      show(await api(command).list('/consents/search', {}, body), 'consents');
    });
  verb('consent withdraw', 'take a consent back, or some of its scopes; what rested on it ends（同意を撤回する）')
    .argument('<consent>', 'id of the consent')
    .addOption(new Option('--scope <scope...>', 'only these (default: all)').choices(consentScopes))
    .requiredOption('--by <who>', 'who took it back')
    .requiredOption('--how <how>', 'how')
    .action(async (consent, { scope, by, how }, command: Command) => {
      const body = { scopes: scope, withdrawnBy: by, withdrawnHow: how };
      const done = (await api(command).post(`/consents/${encodeURIComponent(consent)}/withdraw`, body)) as Withdrawn;
      answer({ value: done, lines: linesOf(done) });
    });
}

function linesOf({ consent, withdrawn, inForce, ended, held }: Withdrawn): string[] {
  return [
    `consent ${consent}`,
    `  撤回 / withdrawn: ${withdrawn.join(' ') || '-'}`,
    `  有効 / in force: ${inForce.join(' ') || '-'}`,
    ...ended.map((target) => `  廃止 / ended: target ${target}`),
    ...(held === null ? [] : [`  承認待ち / waits for a second person: change ${held.change}（${held.actual}件）`]),
  ];
}

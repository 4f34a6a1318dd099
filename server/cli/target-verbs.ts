/** target …: orders (step 5) and what became of them. */
import { type Command, Option } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import { consentScopes } from '../rules/consent.ts';
import { customerIdHelp, typedId } from './customer-verbs.ts';
import type { Verbs } from './program.ts';

export function addTargetVerbs({ verb, show, answer, api }: Verbs): void {
  verb('target order', 'order delivery of a software to a customer（配信を申し込む）')
    .argument('<software>', 'software id')
    .option('--customer-id <id>', customerIdHelp)
    .option('--application <id>', 'whose step 5 this is; in place of the お客さまID once that is known')
    .option('--site <id>', 'when the customer has several')
    .option('--consent <reference>', "the provider's number of the customer's application")
    .option('--consent-by <who>', 'who gave it', 'お客さまご本人')
    .option('--consent-how <how>', 'how it was given', 'サービス利用申し込み')
    .option('--consent-at <time>', 'when, RFC 3339 (default: now)')
    .addOption(new Option('--scope <scope...>', 'what was consented to').choices(consentScopes).default(['delivery']))
    .action(async (software, options, command: Command) => {
      const consent =
        options.consent === undefined
          ? undefined
          : {
              reference: options.consent,
              scopes: options.scope,
              givenBy: options.consentBy,
              givenHow: options.consentHow,
              givenAt: options.consentAt ?? new Date().toISOString(),
            };
      const { customerId, application, site } = options;
      if (customerId === undefined && application === undefined)
        throw new TsugiteError('USAGE_WRONG', { at: '--customer-id | --application' });
      const body = { software, customerId: customerId && typedId(customerId), application, site, consent };
      const ordered = (await api(command).post('/targets', body)) as { target: string; state: string; version: string; isRepeat: boolean };
      const repeat = ordered.isRepeat ? ['  申し込み済み / ordered before'] : [];
      answer({ value: ordered, lines: [`${software} ${ordered.version}  ${ordered.state}`, `  target ${ordered.target}`, ...repeat] });
    });
  verb('target list', 'targets')
    .option('--software <id>', 'of this software')
    .option('--gateway <id>', 'of this gateway')
    .action(async ({ software, gateway }, command: Command) => show(await api(command).list('/targets', { software, gateway }), 'targets'));
  verb('target show', 'a target and every step that it took')
    .argument('<target>', 'target id')
    .action(async (target, _options, command: Command) => show(await api(command).get(`/targets/${encodeURIComponent(target)}`)));
  verb('target retry', 'the same package once more, after it failed')
    .argument('<target>', 'target id')
    .action(async (target, _options, command: Command) => show(await api(command).post(`/targets/${encodeURIComponent(target)}/retry`)));
  verb('target cancel', 'end a delivery: stop, uninstall, purge（廃止する）')
    .argument('<target...>', 'target ids; many at once need a second person')
    .addOption(new Option('--reason <reason>', 'who wants it').choices(['cancelled', 'household']).default('cancelled'))
    .action(async (targets: string[], { reason }, command: Command) => {
      const [only, ...others] = targets;
      if (only !== undefined && others.length === 0)
        return show(await api(command).post(`/targets/${encodeURIComponent(only)}/cancel`, { reason }));
      show(await api(command).post('/targets/cancel', { targets, reason }), 'targets');
    });
}

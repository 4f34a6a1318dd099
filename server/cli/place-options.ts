/** Where a verb is about: a site, the gateway that stands there, or the お客さまID of who lives there. */
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import { customerIdHelp, typedId } from './customer-verbs.ts';

export function withPlace(command: Command): Command {
  return command
    .option('--site <id>', 'site')
    .option('--gateway <id>', 'the gateway that stands there, in place of the site')
    .option('--customer-id <id>', `in place of the site: ${customerIdHelp}`);
}

/** @throws TsugiteError USAGE_WRONG: not exactly one of the three */
export function placeOf({ site, gateway, customerId }: Readonly<Record<string, string | undefined>>): object {
  if ([site, gateway, customerId].filter((one) => one !== undefined).length !== 1)
    throw new TsugiteError('USAGE_WRONG', { at: '--site | --gateway | --customer-id' });
  return { site, gateway, customerId: customerId === undefined ? undefined : typedId(customerId) };
}

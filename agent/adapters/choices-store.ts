import { join } from 'node:path';
import * as z from 'zod/mini';
import type { TsugiteError } from '../../protocol/errors.ts';
import { digest, gatewayId, line, positive, randomId, utcTime } from '../../protocol/fields.ts';
import type { ChoicesStore } from '../ports/house.ts';
import type { Choices } from '../rules/choices.ts';
import { makeJsonDocument } from './json-document.ts';

const choices = z.strictObject({
  v: z.literal(1),
  gateway: gatewayId,
  updates: z.array(
    z.strictObject({ target: randomId, sha256: digest, attempt: positive, since: utcTime, until: utcTime, isNow: z.boolean() }),
  ),
  confirmations: z.array(z.strictObject({ item: z.enum(['office-equipment']), value: line(40), at: utcTime })),
  consents: z.array(z.strictObject({ request: randomId, isGiven: z.boolean(), withOutput: z.boolean(), at: utcTime, until: utcTime })),
});

/** `<data>/choices.json` */
export function makeChoicesStore(dataDir: string, onDamage: (error: TsugiteError) => void = () => {}): ChoicesStore {
  return makeJsonDocument<Choices>(join(dataDir, 'choices.json'), (value) => choices.parse(value), { onDamage });
}

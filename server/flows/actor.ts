/** Who asks. A flow is told this by the API and trusts it; what a role may do is written beside each route (server/api/routes/). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId, RandomId } from '../../protocol/fields.ts';

export type Role = 'operator' | 'provider' | 'technician' | 'viewer';
export type Actor = {
  readonly name: string;
  readonly role: Role;
  readonly provider?: ProviderId;
  /** Id of the access token; the program itself has none. */
  readonly token?: RandomId;
};

/** The program itself: dated rules, migrations, the first token. */
export const systemActor: Actor = { name: 'system', role: 'operator' };

/** @throws TsugiteError API_FORBIDDEN when a provider reaches for another's things */
export function verifyOwn(actor: Actor, provider: string): void {
  if (actor.role === 'provider' && actor.provider !== provider)
    throw new TsugiteError('API_FORBIDDEN', { role: `provider:${actor.provider}` });
}

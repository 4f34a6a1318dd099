/** Consent records of customers (DOMAIN §12): who agreed to what, when and how, and what was taken back. */
import * as z from 'zod/mini';
import { TsugiteError } from '../../../protocol/errors.ts';
import { count, providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { Actor } from '../../flows/actor.ts';
import type { makeConsentQueries } from '../../flows/consent-queries.ts';
import type { makeConsents, NewConsent } from '../../flows/consents.ts';
import { consentScope, newConsent, place, someScopes, why } from '../customer-fields.ts';
import { customerId, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { shown } from '../shown.ts';

const consentView = z.strictObject({
  consent: randomId,
  provider: z.nullable(providerId),
  software: z.nullable(softwareId),
  reference: z.string(),
  scopes: z.array(consentScope),
  inForce: z.array(consentScope),
  givenBy: z.string(),
  givenHow: z.string(),
  givenAt: time,
  recordedAt: time,
  recordedBy: z.string(),
  withdrawals: z.array(z.strictObject({ scope: consentScope, at: time, by: z.string(), how: z.string(), recordedBy: z.string() })),
});

export function consentRoutes({
  consents,
  consentQueries,
}: {
  consents: ReturnType<typeof makeConsents>;
  consentQueries: ReturnType<typeof makeConsentQueries>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/consents',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Register a consent; a technician registers the resident’s to diagnostics, a provider those given to it',
      status: 201,
      body: z.strictObject({
        at: place,
        provider: z.optional(providerId),
        software: z.optional(softwareId),
        consent: newConsent,
      }),
      answer: z.strictObject({ consent: randomId, scopes: z.array(consentScope) }),
      example: {
        body: {
          at: { customerId: shown.customerId },
          software: shown.software,
          consent: {
            reference: 'A-1001',
            scopes: ['delivery', 'reasonsToProvider'],
            givenBy: 'お客さまご本人',
            givenHow: 'サービス利用申込書',
            givenAt: shown.time,
          },
        },
        answer: { consent: shown.consent, scopes: ['delivery', 'reasonsToProvider'] },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => {
        const { at, software = null, consent } = body;
        const provider = givenTo(body.provider, consent, actor);
        return consents.record(at, { provider, software: provider === null ? null : software }, consent, actor);
      },
    }),
    route({
      method: 'POST',
      path: '/consents/search',
      roles: ['operator', 'provider'],
      summary: 'Consents of a customer; a provider finds those given to it by its own numbers; audited',
      body: z.strictObject({
        customerId: z.optional(customerId),
        customer: z.optional(randomId),
        software: z.optional(softwareId),
        reference: z.optional(words(200)),
        why,
      }),
      list: randomId,
      answer: consentView,
      example: {
        body: { customerId: shown.customerId, why: shown.why },
        answer: {
          consent: shown.consent,
          provider: shown.provider,
          software: shown.software,
          reference: 'A-1001',
          scopes: ['delivery', 'reasonsToProvider'],
          inForce: ['delivery'],
          givenBy: 'お客さまご本人',
          givenHow: 'サービス利用申込書',
          givenAt: shown.time,
          recordedAt: shown.time,
          recordedBy: 'acme',
          withdrawals: [{ scope: 'reasonsToProvider', at: shown.later, by: 'お客さまご本人', how: '電話', recordedBy: '運用担当' }],
        },
      },
      handle: ({ body, page, actor }) => consentQueries.list(body, page, actor),
    }),
    route({
      method: 'POST',
      path: '/consents/:consent/withdraw',
      roles: ['operator', 'provider'],
      summary: 'Take a consent back, or some of its scopes; what rested on it ends at once',
      params: z.strictObject({ consent: randomId }),
      body: z.strictObject({ scopes: z.optional(someScopes), withdrawnBy: words(200), withdrawnHow: words(200) }),
      answer: z.strictObject({
        consent: randomId,
        withdrawn: z.array(consentScope),
        inForce: z.array(consentScope),
        ended: z.array(randomId),
        held: z.nullable(z.strictObject({ change: randomId, actual: count, limit: count, expires: time })),
      }),
      example: {
        params: { consent: shown.consent },
        body: { scopes: ['delivery'], withdrawnBy: 'お客さまご本人', withdrawnHow: '電話' },
        answer: { consent: shown.consent, withdrawn: ['delivery'], inForce: [], ended: [shown.target], held: null },
      },
      handle: ({ params, body, actor }) => consents.withdraw(params.consent, body, actor),
    }),
  ];
}

/** @throws TsugiteError API_FORBIDDEN · INPUT_REFUSED: to whom the consent is given, and whether the caller may say so */
function givenTo<Provider extends string>(named: Provider | undefined, { scopes }: NewConsent, { role, provider }: Actor): Provider | null {
  if (role === 'provider') {
    if (named !== undefined && named !== (provider as string)) throw new TsugiteError('API_FORBIDDEN', { role: `provider:${provider}` });
    return provider as unknown as Provider;
  }
  const isDiagnostics = scopes.every((scope) => scope === 'diagnostics');
  if (role === 'technician' && (!isDiagnostics || named !== undefined)) throw new TsugiteError('API_FORBIDDEN', { role });
  if (named === undefined && !isDiagnostics)
    throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'provider', fault: 'needed for every scope but diagnostics' }] });
  return named ?? null;
}

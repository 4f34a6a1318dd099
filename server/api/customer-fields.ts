/** Fields of what is said about customers. An お客さまID stands in bodies only. */
import * as z from 'zod/mini';
import { gatewayId, randomId } from '../../protocol/fields.ts';
import { consentScopes } from '../rules/consent.ts';
import { customerId, words } from './fields.ts';

/** Where: exactly one of the three. */
export const place = z
  .strictObject({ site: z.optional(randomId), customerId: z.optional(customerId), gateway: z.optional(gatewayId) })
  .check(
    z.refine((given) => Object.values(given).filter((one) => one !== undefined).length === 1, {
      path: ['site'],
      message: 'exactly one of site, customerId, gateway',
    }),
  );

/** For what customer data are read (DOMAIN §12): it stands in the audit. */
export const why = words(200);

export const consentScope = z.enum(consentScopes);
export const someScopes = z.array(consentScope).check(z.minLength(1), z.maxLength(consentScopes.length));
/** What was agreed to, by whom, how and when. */
export const newConsent = z.pipe(
  z.strictObject({ reference: words(200), scopes: someScopes, givenBy: words(200), givenHow: words(200), givenAt: z.iso.datetime() }),
  z.transform(({ givenAt, ...given }) => ({ ...given, givenAtMs: Date.parse(givenAt) })),
);

/** Providers (事業者) and their certificates. */
import * as z from 'zod/mini';
import { line, providerId } from '../../../protocol/fields.ts';
import type { makeProviders } from '../../flows/providers.ts';
import { words } from '../fields.ts';
import { type Route, route } from '../route.ts';

const serial = z.string().check(z.regex(/^[0-9a-f]{1,64}$/));

export function providerRoutes({ providers }: { providers: ReturnType<typeof makeProviders> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/providers',
      roles: ['operator'],
      summary: 'Register a provider (事業者)',
      status: 201,
      body: z.strictObject({
        provider: providerId,
        name: words(200),
        contact: z.optional(line(1000)),
        consentNotRequired: z.optional(words(1000)),
      }),
      handle: ({ body, actor }) => providers.register(body, actor),
    }),
    route({
      method: 'GET',
      path: '/providers',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Providers',
      list: providerId,
      handle: ({ page }) => providers.list(page),
    }),
    route({
      method: 'POST',
      path: '/providers/:provider/certificates',
      roles: ['operator'],
      summary: 'Issue a signer certificate from a PKCS#10 request',
      status: 201,
      params: z.strictObject({ provider: providerId }),
      body: z.strictObject({ csr: words(16_384) }),
      handle: ({ params, body, actor }) => providers.certify(params.provider, body.csr, actor),
    }),
    route({
      method: 'GET',
      path: '/providers/:provider/certificates',
      roles: ['operator', 'viewer'],
      summary: "A provider's certificates",
      params: z.strictObject({ provider: providerId }),
      list: serial,
      handle: ({ params, page }) => providers.certificates(params.provider, page),
    }),
  ];
}

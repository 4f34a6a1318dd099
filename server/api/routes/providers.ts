/** Providers (事業者) and their certificates. */
import * as z from 'zod/mini';
import { count, keyId, line, providerId } from '../../../protocol/fields.ts';
import type { makeProviders } from '../../flows/providers.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

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
      answer: z.strictObject({ provider: providerId, name: z.string() }),
      example: {
        body: { provider: shown.provider, name: '株式会社エース', contact: '配信担当 03-0000-0000' },
        answer: { provider: shown.provider, name: '株式会社エース' },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => providers.register(body, actor),
    }),
    route({
      method: 'GET',
      path: '/providers',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Providers',
      list: providerId,
      answer: z.strictObject({
        provider: providerId,
        name: z.string(),
        contact: z.string(),
        consent: z.enum(['required', 'notRequired']),
        consentReason: maybe(z.string()),
        createdAt: time,
        software: count,
      }),
      example: {
        answer: {
          provider: shown.provider,
          name: '株式会社エース',
          contact: '',
          consent: 'required',
          consentReason: null,
          createdAt: shown.time,
          software: 1,
        },
      },
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
      answer: z.strictObject({ chain: z.string(), serial, notAfter: time }),
      example: {
        params: { provider: shown.provider },
        body: { csr: '-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n' },
        answer: { chain: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n', serial: '5f3a', notAfter: shown.later },
      },
      handle: ({ params, body, actor }) => providers.certify(params.provider, body.csr, actor),
    }),
    route({
      method: 'GET',
      path: '/providers/:provider/certificates',
      roles: ['operator', 'viewer'],
      summary: "A provider's certificates",
      params: z.strictObject({ provider: providerId }),
      list: serial,
      answer: z.strictObject({
        serial,
        issuer: keyId,
        organisation: z.string(),
        subjectKeyid: keyId,
        notBefore: time,
        notAfter: time,
        revokedAt: maybe(time),
        revokeReason: maybe(z.string()),
      }),
      example: {
        params: { provider: shown.provider },
        answer: {
          serial: '5f3a',
          issuer: shown.keyid,
          organisation: '株式会社エース',
          subjectKeyid: shown.keyid,
          notBefore: shown.time,
          notAfter: shown.later,
          revokedAt: null,
          revokeReason: null,
        },
      },
      handle: ({ params, page }) => providers.certificates(params.provider, page),
    }),
  ];
}

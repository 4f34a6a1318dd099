/** Signer certificates on request. */
import * as z from 'zod/mini';
import { keyId, providerId, randomId } from '../../../protocol/fields.ts';
import type { makeCertificateRequests } from '../../flows/certificate-requests.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';

const state = z.enum(['WAITING', 'ISSUED', 'REFUSED']);
const answer = z.strictObject({
  request: randomId,
  provider: providerId,
  subjectKeyid: keyId,
  organisation: z.string(),
  state,
  requestedBy: z.string(),
  requestedAt: time,
  decidedBy: z.nullable(z.string()),
  decidedAt: z.nullable(time),
  refuseReason: z.nullable(z.string()),
  serial: z.nullable(z.string()),
  notAfter: z.nullable(time),
  chain: z.nullable(z.string()),
});
const request = z.strictObject({ request: randomId });

export function certificateRequestRoutes({ requests }: { requests: ReturnType<typeof makeCertificateRequests> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/certificate-requests',
      roles: ['provider'],
      summary: 'Ask for a signer certificate with a PKCS#10 request; the operator issues it',
      status: 201,
      body: z.strictObject({ csr: words(16_384) }),
      answer,
      // The role says that there is one.
      handle: ({ body, actor }) => requests.request(body.csr, { ...actor, provider: providerId.parse(actor.provider) }),
    }),
    route({
      method: 'GET',
      path: '/certificate-requests',
      roles: ['operator', 'provider'],
      summary: 'Requests for signer certificates, the newest first',
      query: z.strictObject({ state: z.optional(state) }),
      list: randomId,
      answer,
      handle: ({ query, actor, page }) => requests.list(query, actor, page),
    }),
    route({
      method: 'GET',
      path: '/certificate-requests/:request',
      roles: ['operator', 'provider'],
      summary: 'A request, and its certificate once it is issued',
      params: request,
      answer,
      handle: ({ params, actor }) => requests.show(params.request, actor),
    }),
    route({
      method: 'POST',
      path: '/certificate-requests/:request/issue',
      roles: ['operator'],
      summary: 'Issue the certificate, for the key that the provider has read out',
      params: request,
      body: z.strictObject({ keyid: keyId }),
      answer,
      handle: ({ params, body, actor }) => requests.issue(params.request, body.keyid, actor),
    }),
    route({
      method: 'POST',
      path: '/certificate-requests/:request/refuse',
      roles: ['operator'],
      summary: 'Refuse a request',
      params: request,
      body: z.strictObject({ reason: words(1000) }),
      answer,
      handle: ({ params, body, actor }) => requests.refuse(params.request, body.reason, actor),
    }),
  ];
}

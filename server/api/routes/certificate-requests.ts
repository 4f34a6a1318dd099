/** Signer certificates on request. */
import * as z from 'zod/mini';
import { keyId, providerId, randomId } from '../../../protocol/fields.ts';
import type { makeCertificateRequests } from '../../flows/certificate-requests.ts';
import { time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { shown } from '../shown.ts';

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

const waiting = {
  request: 'q4tz6mw2hxv7kb3nyd5rcj6gpa',
  provider: shown.provider,
  subjectKeyid: shown.keyid,
  organisation: '株式会社エース',
  state: 'WAITING',
  requestedBy: '株式会社エース 配信担当',
  requestedAt: shown.time,
  decidedBy: null,
  decidedAt: null,
  refuseReason: null,
  serial: null,
  notAfter: null,
  chain: null,
};
const decided = { ...waiting, decidedBy: '運用担当', decidedAt: shown.time };
const issued = {
  ...decided,
  state: 'ISSUED',
  serial: '5f3a',
  notAfter: '2029-12-22T01:30:00.000Z',
  chain: '-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n',
};
const params = { request: waiting.request };

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
      example: { body: { csr: '-----BEGIN CERTIFICATE REQUEST-----\n…\n-----END CERTIFICATE REQUEST-----\n' }, answer: waiting },
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
      example: { query: { state: 'WAITING' }, answer: waiting },
      handle: ({ query, actor, page }) => requests.list(query, actor, page),
    }),
    route({
      method: 'GET',
      path: '/certificate-requests/:request',
      roles: ['operator', 'provider'],
      summary: 'A request, and its certificate once it is issued',
      params: request,
      answer,
      example: { params, answer: issued },
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
      example: { params, body: { keyid: shown.keyid }, answer: issued },
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
      example: {
        params,
        body: { reason: '事業者の申請ではないため' },
        answer: { ...decided, state: 'REFUSED', refuseReason: '事業者の申請ではないため' },
      },
      handle: ({ params, body, actor }) => requests.refuse(params.request, body.reason, actor),
    }),
  ];
}

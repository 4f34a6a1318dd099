/** The server itself: health, counts, keys, and the tokens that open the other routes. */
import * as z from 'zod/mini';
import { count, keyId, positive, providerId, randomId, utcTime } from '../../../protocol/fields.ts';
import type { makeCatalogueQueries } from '../../flows/catalogue-queries.ts';
import type { makeTokens } from '../../flows/tokens.ts';
import { overlapMinutes, tokenDays } from '../../rules/token-life.ts';
import { time, words } from '../fields.ts';
import { everyRole, type Route, route } from '../route.ts';
import { maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

const days = z.int().check(z.gte(1), z.lte(tokenDays.most));

const role = z.enum(['operator', 'provider', 'technician', 'viewer']);
const keys = z.strictObject({ keyids: z.array(keyId), threshold: positive });
const issued = { id: randomId, token: z.string(), expires: time };
const token = z.strictObject({
  id: randomId,
  role,
  provider: maybe(providerId),
  label: z.string(),
  createdAt: time,
  expires: time,
  revokedAt: maybe(time),
  /** To the hour. */
  lastUsedAt: maybe(time),
  createdBy: maybe(randomId),
  replaces: maybe(randomId),
});
const shownToken = {
  id: shown.token,
  role: 'provider',
  provider: shown.provider,
  label: '株式会社エース 配信担当',
  createdAt: shown.time,
  expires: shown.later,
  revokedAt: null,
  lastUsedAt: shown.time,
  createdBy: null,
  replaces: null,
};

export function operationRoutes({
  tokens,
  queries,
}: {
  tokens: ReturnType<typeof makeTokens>;
  queries: ReturnType<typeof makeCatalogueQueries>;
}): Route[] {
  return [
    route({
      method: 'GET',
      path: '/health',
      roles: 'anyone',
      summary: 'Is the server up, and its database',
      answer: z.strictObject({ ok: z.literal(true), upMs: count }),
      example: { answer: { ok: true, upMs: 86_400_000 } },
      handle: () => queries.health(),
    }),
    route({
      method: 'GET',
      path: '/status',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Counts',
      answer: z.strictObject({
        providers: count,
        software: count,
        releases: count,
        customers: count,
        gateways: count,
        online: count,
        reports: count,
        targets: z.record(z.string(), count),
        startedAt: time,
      }),
      example: {
        answer: {
          providers: 2,
          software: 3,
          releases: 7,
          customers: 120,
          gateways: 118,
          online: 111,
          reports: 640,
          targets: { ACTIVE: 109, HOLD: 4 },
          startedAt: shown.time,
        },
      },
      handle: () => queries.status(),
    }),
    route({
      method: 'GET',
      path: '/pki',
      roles: everyRole,
      summary: 'The root in force and its keys',
      answer: z.strictObject({
        rootVersion: positive,
        issuedAt: utcTime,
        expires: utcTime,
        root: keys,
        notice: keys,
        providerCas: z.array(z.string()),
        serverCas: z.array(z.string()),
        revokedSigners: z.array(z.looseObject({ issuer: z.string(), serial: z.string() })),
      }),
      example: {
        answer: {
          rootVersion: 1,
          issuedAt: '2026-11-22T01:30:00Z',
          expires: '2028-11-22T01:30:00Z',
          root: { keyids: [shown.keyid], threshold: 2 },
          notice: { keyids: [shown.keyid], threshold: 1 },
          providerCas: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'],
          serverCas: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'],
          revokedSigners: [],
        },
      },
      handle: () => queries.pki(),
    }),
    route({
      method: 'POST',
      path: '/tokens',
      roles: ['operator'],
      summary: 'Issue an access token',
      status: 201,
      body: z
        .strictObject({
          role,
          provider: z.optional(providerId),
          label: words(200),
          days: z.optional(days),
        })
        .check(
          z.refine(({ role, provider }) => (role === 'provider') === (provider !== undefined), {
            path: ['provider'],
            message: 'only and always with role provider',
          }),
        ),
      answer: z.strictObject(issued),
      example: {
        body: { role: 'provider', provider: shown.provider, label: '株式会社エース 配信担当', days: 180 },
        answer: { id: shown.token, token: 'tsugite_…', expires: shown.later },
      },
      handle: ({ body, actor }) => tokens.create(body, actor),
    }),
    route({
      method: 'GET',
      path: '/tokens',
      roles: ['operator'],
      summary: 'Tokens, without the tokens',
      list: randomId,
      answer: token,
      example: { answer: shownToken },
      handle: ({ page }) => tokens.list(page),
    }),
    route({
      method: 'GET',
      path: '/whoami',
      roles: everyRole,
      summary: 'Whom this token speaks for, and until when',
      answer: z.strictObject({ name: z.string(), role, provider: maybe(providerId), token: randomId, expires: time }),
      example: {
        answer: { name: shownToken.label, role: 'provider', provider: shown.provider, token: shown.token, expires: shown.later },
      },
      handle: ({ actor }) => tokens.own(actor),
    }),
    route({
      method: 'POST',
      path: '/tokens/replace',
      roles: everyRole,
      summary: "A new token in place of the caller's own, which is good for some minutes more",
      status: 201,
      body: z.strictObject({ days: z.optional(days), overlapMinutes: z.optional(z.int().check(z.gte(0), z.lte(overlapMinutes.most))) }),
      answer: z.strictObject({ ...issued, oldExpires: time }),
      example: {
        body: { overlapMinutes: 30 },
        answer: { id: shown.token, token: 'tsugite_…', expires: shown.later, oldExpires: '2026-11-22T02:00:00.000Z' },
      },
      handle: ({ body, actor }) => tokens.replaceOwn(body, actor),
    }),
    route({
      method: 'POST',
      path: '/tokens/:id/revoke',
      roles: ['operator'],
      summary: 'End a token',
      params: z.strictObject({ id: randomId }),
      answer: z.strictObject({ id: randomId, revoked: z.literal(true) }),
      example: { params: { id: shown.token }, answer: { id: shown.token, revoked: true } },
      handle: async ({ params, actor }) => {
        await tokens.revoke(params.id, actor);
        return { id: params.id, revoked: true };
      },
    }),
  ];
}

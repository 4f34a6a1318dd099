/** The server itself: health, counts, keys, and the tokens that open the other routes. */
import * as z from 'zod/mini';
import { providerId, randomId } from '../../../protocol/fields.ts';
import type { makeCatalogueQueries } from '../../flows/catalogue-queries.ts';
import type { makeTokens } from '../../flows/tokens.ts';
import { overlapMinutes, tokenDays } from '../../rules/token-life.ts';
import { words } from '../fields.ts';
import { everyRole, type Route, route } from '../route.ts';

const days = z.int().check(z.gte(1), z.lte(tokenDays.most));

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
      handle: () => queries.health(),
    }),
    route({
      method: 'GET',
      path: '/status',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Counts',
      handle: () => queries.status(),
    }),
    route({ method: 'GET', path: '/pki', roles: everyRole, summary: 'The root in force and its keys', handle: () => queries.pki() }),
    route({
      method: 'POST',
      path: '/tokens',
      roles: ['operator'],
      summary: 'Issue an access token',
      status: 201,
      body: z
        .strictObject({
          role: z.enum(['operator', 'provider', 'technician', 'viewer']),
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
      handle: ({ body, actor }) => tokens.create(body, actor),
    }),
    route({
      method: 'GET',
      path: '/tokens',
      roles: ['operator'],
      summary: 'Tokens, without the tokens',
      list: randomId,
      handle: ({ page }) => tokens.list(page),
    }),
    route({
      method: 'GET',
      path: '/me',
      roles: everyRole,
      summary: "The caller's own token: role, provider, until when",
      handle: ({ actor }) => tokens.own(actor),
    }),
    route({
      method: 'POST',
      path: '/tokens/replace',
      roles: everyRole,
      summary: "A new token in place of the caller's own, which is good for some minutes more",
      status: 201,
      body: z.strictObject({ days: z.optional(days), overlapMinutes: z.optional(z.int().check(z.gte(0), z.lte(overlapMinutes.most))) }),
      handle: ({ body, actor }) => tokens.replaceOwn(body, actor),
    }),
    route({
      method: 'POST',
      path: '/tokens/:id/revoke',
      roles: ['operator'],
      summary: 'End a token',
      params: z.strictObject({ id: randomId }),
      handle: async ({ params, actor }) => {
        await tokens.revoke(params.id, actor);
        return { id: params.id, revoked: true };
      },
    }),
  ];
}

/** Orders and what became of them. */
import * as z from 'zod/mini';
import { gatewayId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeExplainDelivery } from '../../flows/explain-delivery.ts';
import type { makeOrderDelivery } from '../../flows/order-delivery.ts';
import type { makeTargets } from '../../flows/targets.ts';
import { newConsent } from '../customer-fields.ts';
import { customerId } from '../fields.ts';
import { type Route, route } from '../route.ts';

export function targetRoutes({
  orderDelivery,
  targets,
  explainDelivery,
}: {
  orderDelivery: ReturnType<typeof makeOrderDelivery>;
  targets: ReturnType<typeof makeTargets>;
  explainDelivery: ReturnType<typeof makeExplainDelivery>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/targets',
      roles: ['operator', 'provider'],
      summary: 'Order delivery to a customer (step 5)',
      status: 201,
      body: z.strictObject({ software: softwareId, customerId, site: z.optional(randomId), consent: z.optional(newConsent) }),
      handle: ({ body, actor }) => orderDelivery(body, actor),
    }),
    route({
      method: 'GET',
      path: '/targets',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Targets',
      query: z.strictObject({ software: z.optional(softwareId), gateway: z.optional(gatewayId) }),
      list: randomId,
      handle: ({ query, actor, page }) => targets.list(query, actor, page),
    }),
    route({
      method: 'GET',
      path: '/targets/:target',
      roles: ['operator', 'provider', 'technician'],
      summary: 'A target and every step that it took',
      params: z.strictObject({ target: randomId }),
      handle: ({ params, actor }) => targets.show(params.target, actor),
    }),
    route({
      method: 'POST',
      path: '/targets/:target/retry',
      roles: ['operator', 'provider'],
      summary: 'The same package once more',
      params: z.strictObject({ target: randomId }),
      handle: ({ params, actor }) => targets.retry(params.target, actor),
    }),
    route({
      method: 'POST',
      path: '/targets/:target/cancel',
      roles: ['operator', 'provider'],
      summary: '廃止: stop, uninstall, purge',
      params: z.strictObject({ target: randomId }),
      body: z.strictObject({ reason: z._default(z.enum(['cancelled', 'household']), 'cancelled') }),
      handle: async ({ params, body, actor }) => (await targets.cancel([params.target], body.reason, actor))[0],
    }),
    route({
      method: 'POST',
      path: '/targets/cancel',
      roles: ['operator', 'provider'],
      summary: '廃止 of several; many need a second person',
      body: z.strictObject({
        targets: z.array(randomId).check(z.minLength(1), z.maxLength(10_000)),
        reason: z._default(z.enum(['cancelled', 'household']), 'cancelled'),
      }),
      handle: ({ body, actor }) => targets.cancel(body.targets, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/explain',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Why is it there, or why is it not',
      body: z
        .strictObject({
          software: softwareId,
          gateway: z.optional(gatewayId),
          site: z.optional(randomId),
          customerId: z.optional(customerId),
        })
        .check(
          z.refine(({ gateway, site, customerId: id }) => [gateway, site, id].filter((one) => one !== undefined).length === 1, {
            path: ['gateway'],
            message: 'exactly one of gateway, site, customerId',
          }),
        ),
      handle: ({ body, actor }) => explainDelivery(body, actor),
    }),
  ];
}

/** Home gateways as the operator registers, invites and blocks them. */
import * as z from 'zod/mini';
import { gatewayId, randomId } from '../../../protocol/fields.ts';
import type { makeGateways } from '../../flows/gateways.ts';
import { gatewayModel, words } from '../fields.ts';
import { type Route, route } from '../route.ts';

export function gatewayRoutes({ gateways }: { gateways: ReturnType<typeof makeGateways> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/gateways',
      roles: ['operator'],
      summary: 'Register a home gateway',
      status: 201,
      body: z.strictObject({ gateway: gatewayId, model: gatewayModel, site: z.optional(randomId) }),
      handle: ({ body, actor }) => gateways.register(body, actor),
    }),
    route({
      method: 'GET',
      path: '/gateways',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Gateways',
      list: gatewayId,
      handle: ({ page }) => gateways.list(page),
    }),
    route({
      method: 'GET',
      path: '/gateways/:gateway',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'A gateway and its targets',
      params: z.strictObject({ gateway: gatewayId }),
      handle: ({ params }) => gateways.show(params.gateway),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/bind',
      roles: ['operator'],
      summary: 'Put a gateway at a site',
      params: z.strictObject({ gateway: gatewayId }),
      body: z.strictObject({ site: randomId }),
      handle: ({ params, body, actor }) => gateways.bind(params.gateway, body.site, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/block',
      roles: ['operator'],
      summary: 'Refuse a gateway at every door',
      params: z.strictObject({ gateway: gatewayId }),
      body: z.strictObject({ reason: words(200) }),
      handle: ({ params, body, actor }) => gateways.setBlocked(params.gateway, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/unblock',
      roles: ['operator'],
      summary: 'Let a gateway in again',
      params: z.strictObject({ gateway: gatewayId }),
      handle: ({ params, actor }) => gateways.setBlocked(params.gateway, null, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/invitations',
      roles: ['operator', 'technician'],
      summary: 'An invitation for enrolment; earlier ones are void',
      status: 201,
      params: z.strictObject({ gateway: gatewayId }),
      handle: ({ params, actor }) => gateways.invite(params.gateway, actor),
    }),
  ];
}

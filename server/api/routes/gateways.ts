/** Home gateways as the operator registers, invites and blocks them. */
import * as z from 'zod/mini';
import { count, gatewayId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeGateways } from '../../flows/gateways.ts';
import { gatewayModel, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { maybe, targetState } from '../shapes.ts';
import { shown } from '../shown.ts';

const gateway = {
  gateway: gatewayId,
  model: gatewayModel,
  site: maybe(randomId),
  online: z.boolean(),
  lastSeenAt: maybe(time),
  firmware: maybe(z.string()),
  agent: maybe(z.string()),
  rootVersion: maybe(count),
  noticeVersion: count,
  appliedVersion: maybe(count),
  blockedAt: maybe(time),
  blockReason: maybe(z.string()),
  replacedAt: maybe(time),
  createdAt: time,
  enrolled: z.boolean(),
};
const blocked = z.strictObject({ gateway: gatewayId, isBlocked: z.boolean() });
const shownGateway = {
  gateway: shown.gateway,
  model: shown.model,
  site: shown.site,
  online: true,
  lastSeenAt: shown.time,
  firmware: '07.00.1006',
  agent: '1.0.0',
  rootVersion: 1,
  noticeVersion: 4,
  appliedVersion: 4,
  blockedAt: null,
  blockReason: null,
  replacedAt: null,
  createdAt: shown.time,
  enrolled: true,
};

export function gatewayRoutes({ gateways }: { gateways: ReturnType<typeof makeGateways> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/gateways',
      roles: ['operator'],
      summary: 'Register a home gateway',
      status: 201,
      body: z.strictObject({ gateway: gatewayId, model: gatewayModel, site: z.optional(randomId) }),
      answer: z.strictObject({ gateway: gatewayId, model: gatewayModel, site: maybe(randomId) }),
      example: {
        body: { gateway: shown.gateway, model: shown.model, site: shown.site },
        answer: { gateway: shown.gateway, model: shown.model, site: shown.site },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => gateways.register(body, actor),
    }),
    route({
      method: 'GET',
      path: '/gateways',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'Gateways',
      list: gatewayId,
      answer: z.strictObject(gateway),
      example: { answer: shownGateway },
      handle: ({ page }) => gateways.list(page),
    }),
    route({
      method: 'GET',
      path: '/gateways/:gateway',
      roles: ['operator', 'technician', 'viewer'],
      summary: 'A gateway and its targets',
      params: z.strictObject({ gateway: gatewayId }),
      answer: z.strictObject({
        ...gateway,
        targets: z.array(
          z.strictObject({
            target: randomId,
            software: softwareId,
            state: targetState,
            codes: z.array(z.string()),
            version: maybe(version),
            committedVersion: maybe(version),
          }),
        ),
      }),
      example: {
        params: { gateway: shown.gateway },
        answer: {
          ...shownGateway,
          targets: [
            {
              target: shown.target,
              software: shown.software,
              state: 'ACTIVE',
              codes: [],
              version: shown.version,
              committedVersion: shown.version,
            },
          ],
        },
      },
      handle: ({ params }) => gateways.show(params.gateway),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/bind',
      roles: ['operator'],
      summary: 'Put a gateway at a site',
      params: z.strictObject({ gateway: gatewayId }),
      body: z.strictObject({ site: randomId }),
      answer: z.strictObject({ gateway: gatewayId, site: randomId }),
      example: {
        params: { gateway: shown.gateway },
        body: { site: shown.site },
        answer: { gateway: shown.gateway, site: shown.site },
      },
      handle: ({ params, body, actor }) => gateways.bind(params.gateway, body.site, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/block',
      roles: ['operator'],
      summary: 'Refuse a gateway at every door',
      params: z.strictObject({ gateway: gatewayId }),
      body: z.strictObject({ reason: words(200) }),
      answer: blocked,
      example: {
        params: { gateway: shown.gateway },
        body: { reason: '盗難の届け出' },
        answer: { gateway: shown.gateway, isBlocked: true },
      },
      handle: ({ params, body, actor }) => gateways.setBlocked(params.gateway, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/unblock',
      roles: ['operator'],
      summary: 'Let a gateway in again',
      params: z.strictObject({ gateway: gatewayId }),
      answer: blocked,
      example: { params: { gateway: shown.gateway }, answer: { gateway: shown.gateway, isBlocked: false } },
      handle: ({ params, actor }) => gateways.setBlocked(params.gateway, null, actor),
    }),
    route({
      method: 'POST',
      path: '/gateways/:gateway/invitations',
      roles: ['operator', 'technician'],
      summary: 'An invitation for enrolment; earlier ones are void',
      status: 201,
      params: z.strictObject({ gateway: gatewayId }),
      answer: z.strictObject({
        v: z.literal(1),
        gateway: gatewayId,
        https: z.string(),
        mqtt: z.string(),
        token: z.string(),
        serverCas: z.array(z.string()),
        root: z.looseObject({ payloadType: z.string() }),
      }),
      example: {
        params: { gateway: shown.gateway },
        answer: {
          v: 1,
          gateway: shown.gateway,
          https: 'https://delivery.example:8443',
          mqtt: 'mqtts://delivery.example:8883',
          token: '…',
          serverCas: ['-----BEGIN CERTIFICATE-----\n…\n-----END CERTIFICATE-----\n'],
          root: { payloadType: 'application/vnd.tsugite.root+json', payload: '…', signatures: [] },
        },
      },
      handle: ({ params, actor }) => gateways.invite(params.gateway, actor),
    }),
  ];
}

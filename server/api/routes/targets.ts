/** Orders and what became of them. */
import * as z from 'zod/mini';
import { gatewayId, positive, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeOrderDelivery } from '../../flows/order-delivery.ts';
import type { makeTargetQueries } from '../../flows/target-queries.ts';
import type { makeTargets } from '../../flows/targets.ts';
import { newConsent } from '../customer-fields.ts';
import { customerId, time } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { code, detail, maybe, menu, targetState } from '../shapes.ts';
import { shown } from '../shown.ts';

const target = {
  target: randomId,
  software: softwareId,
  provider: providerId,
  site: randomId,
  gateway: maybe(gatewayId),
  state: targetState,
  /** Why it stands there: ELIG_TYPE_CHANGE, …; for a provider whose customer agreed to less, ELIG_NOT_MET. */
  codes: z.array(z.string()),
  version: maybe(version),
  committedVersion: maybe(version),
  plan: maybe(menu),
  attempt: positive,
  requestedAt: time,
  readyAt: maybe(time),
  enteredNoticeAt: maybe(time),
  deadline: maybe(time),
  entitledUntil: maybe(time),
  graceUntil: maybe(time),
  endedAt: maybe(time),
  removedReason: maybe(z.string()),
  purgedAt: maybe(time),
};
const ended = z.strictObject({ target: randomId, state: targetState });
const shownTarget = {
  target: shown.target,
  software: shown.software,
  provider: shown.provider,
  site: shown.site,
  gateway: shown.gateway,
  state: 'ACTIVE',
  codes: [],
  version: shown.version,
  committedVersion: shown.version,
  plan: 1,
  attempt: 1,
  requestedAt: shown.time,
  readyAt: shown.time,
  enteredNoticeAt: shown.time,
  deadline: null,
  entitledUntil: '2026-12-22T01:30:00.000Z',
  graceUntil: null,
  endedAt: null,
  removedReason: null,
  purgedAt: null,
};

export function targetRoutes({
  orderDelivery,
  targets,
  targetQueries,
}: {
  orderDelivery: ReturnType<typeof makeOrderDelivery>;
  targets: ReturnType<typeof makeTargets>;
  targetQueries: ReturnType<typeof makeTargetQueries>;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/targets',
      roles: ['operator', 'provider'],
      summary: 'Order delivery to a customer (step 5)',
      status: 201,
      body: z
        .strictObject({
          software: softwareId,
          customerId: z.optional(customerId),
          application: z.optional(randomId),
          site: z.optional(randomId),
          consent: z.optional(newConsent),
        })
        .check(
          z.refine((order) => order.customerId !== undefined || order.application !== undefined, {
            path: ['customerId'],
            message: 'needed without an application',
          }),
        ),
      answer: z.strictObject({
        target: randomId,
        state: targetState,
        version: maybe(version),
        isRepeat: z.boolean(),
        reasons: z.array(z.strictObject({ code, detail })),
      }),
      example: {
        body: {
          software: shown.software,
          customerId: shown.customerId,
          consent: {
            reference: 'A-2026-001',
            scopes: ['delivery'],
            givenBy: 'お客さまご本人',
            givenHow: 'サービス利用申し込み',
            givenAt: '2026-11-20T03:00:00Z',
          },
        },
        answer: { target: shown.target, state: 'READY', version: shown.version, isRepeat: false, reasons: [] },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => orderDelivery(body, actor),
    }),
    route({
      method: 'GET',
      path: '/targets',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Targets',
      query: z.strictObject({ software: z.optional(softwareId), gateway: z.optional(gatewayId) }),
      list: randomId,
      answer: z.strictObject(target),
      example: { query: { software: shown.software }, answer: shownTarget },
      handle: ({ query, actor, page }) => targetQueries.list(query, actor, page),
    }),
    route({
      method: 'GET',
      path: '/targets/:target',
      roles: ['operator', 'provider', 'technician'],
      summary: 'A target and every step that it took',
      params: z.strictObject({ target: randomId }),
      answer: z.strictObject({
        ...target,
        events: z.array(
          z.strictObject({
            at: time,
            event: z.string(),
            from: maybe(targetState),
            to: targetState,
            codes: z.array(z.string()),
            by: z.string(),
          }),
        ),
      }),
      example: {
        params: { target: shown.target },
        answer: {
          ...shownTarget,
          events: [{ at: shown.time, event: 'order', from: null, to: 'REQUESTED', codes: [], by: '配信担当' }],
        },
      },
      handle: ({ params, actor }) => targetQueries.show(params.target, actor),
    }),
    route({
      method: 'POST',
      path: '/targets/:target/retry',
      roles: ['operator', 'provider'],
      summary: 'The same package once more',
      params: z.strictObject({ target: randomId }),
      oncePerKey: true,
      answer: z.strictObject({ target: randomId, attempt: positive }),
      example: { params: { target: shown.target }, answer: { target: shown.target, attempt: 2 } },
      handle: ({ params, actor }) => targets.retry(params.target, actor),
    }),
    route({
      method: 'POST',
      path: '/targets/:target/cancel',
      roles: ['operator', 'provider'],
      summary: '廃止: stop, uninstall, purge',
      params: z.strictObject({ target: randomId }),
      body: z.strictObject({ reason: z._default(z.enum(['cancelled', 'household']), 'cancelled') }),
      oncePerKey: true,
      answer: ended,
      example: {
        params: { target: shown.target },
        body: { reason: 'household' },
        answer: { target: shown.target, state: 'TERMINATED' },
      },
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
      oncePerKey: true,
      answer: z.array(ended),
      example: { body: { targets: [shown.target] }, answer: [{ target: shown.target, state: 'TERMINATED' }] },
      handle: ({ body, actor }) => targets.cancel(body.targets, body.reason, actor),
    }),
  ];
}

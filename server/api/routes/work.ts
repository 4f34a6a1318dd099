/** Work orders (工事). */
import * as z from 'zod/mini';
import { count, line, providerId, randomId, type SoftwareId, softwareId, version } from '../../../protocol/fields.ts';
import type { makeWorkOrders, NewWork } from '../../flows/work-orders.ts';
import { releaseMachine } from '../../rules/release-states.ts';
import { workOrderMachine } from '../../rules/work-order-states.ts';
import { time, words } from '../fields.ts';
import { shownOpenOrder, shownOrder, shownYen, work, yen } from '../release-shapes.ts';
import { type Route, route } from '../route.ts';
import { maybe, menu } from '../shapes.ts';
import { shown } from '../shown.ts';

const state = z.enum(Object.keys(workOrderMachine) as (keyof typeof workOrderMachine)[]);
export const workOrder = z.strictObject({
  order: randomId,
  provider: providerId,
  state,
  note: z.string(),
  openedBy: z.string(),
  createdAt: time,
  completedAt: z.nullable(time),
  cancelledAt: z.nullable(time),
  cancelReason: z.nullable(z.string()),
  accepted: z.nullable(z.strictObject({ oneOffYen: count, monthlyYen: count, by: z.string(), at: time })),
  items: z.array(
    z.strictObject({
      software: softwareId,
      work,
      note: z.string(),
      release: z.nullable(randomId),
      version: z.nullable(version),
      releaseState: z.nullable(z.enum(Object.keys(releaseMachine) as (keyof typeof releaseMachine)[])),
      menu: maybe(menu),
      plan: maybe(menu),
    }),
  ),
});
const priced = z.strictObject({
  ...workOrder.shape,
  price: z.nullable(yen),
  obstacle: z.nullable(z.strictObject({ code: z.string(), detail: z.record(z.string(), z.unknown()) })),
});
const order = z.strictObject({ order: randomId });
const shownParams = { order: shownOrder.order };
const shownPriced = { ...shownOpenOrder, price: shownYen, obstacle: null };
const newWork = z.pipe(
  z.strictObject({ release: z.optional(randomId), software: z.optional(softwareId), note: z.optional(words(1000)) }).check(
    z.refine(
      ({ release, software, note }) =>
        release === undefined ? software !== undefined && note !== undefined : software === undefined && note === undefined,
      {
        path: ['release'],
        message: 'release, or software with note',
      },
    ),
  ),
  z.transform(
    ({ release, software, note }): NewWork =>
      release === undefined ? { software: software as SoftwareId, note: note ?? '' } : { release },
  ),
);

export function workRoutes({ workOrders }: { workOrders: ReturnType<typeof makeWorkOrders> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/work-orders',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'Work orders（工事）, the newest first',
      query: z.strictObject({ state: z.optional(state), provider: z.optional(providerId) }),
      list: randomId,
      answer: workOrder,
      example: { query: { state: 'COMPLETED' }, answer: shownOrder },
      handle: ({ query, actor, page }) => workOrders.list(query, actor, page),
    }),
    route({
      method: 'GET',
      path: '/work-orders/:order',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'A work order, and while it is open its price',
      params: order,
      answer: priced,
      example: { params: shownParams, answer: shownPriced },
      handle: ({ params, actor }) => workOrders.show(params.order, actor),
    }),
    route({
      method: 'POST',
      path: '/work-orders',
      roles: ['operator'],
      summary: 'Open a work order for a provider',
      status: 201,
      body: z.strictObject({ provider: providerId, note: z.optional(line(1000)) }),
      answer: workOrder,
      example: {
        body: { provider: shown.provider, note: shownOpenOrder.note },
        answer: { ...shownOpenOrder, items: [] },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => workOrders.open(body, actor),
    }),
    route({
      method: 'POST',
      path: '/work-orders/:order/items',
      roles: ['operator'],
      summary: 'Put an upload, or an other change（その他変更）of a software, into an open order',
      params: order,
      body: newWork,
      answer: priced,
      example: { params: shownParams, body: { release: shown.release }, answer: shownPriced },
      handle: ({ params, body, actor }) => workOrders.add(params.order, body, actor),
    }),
    route({
      method: 'POST',
      path: '/work-orders/:order/complete',
      roles: ['operator'],
      summary: 'The work is done: register and publish what is in it; its fees are due',
      params: order,
      answer: workOrder,
      example: { params: shownParams, answer: shownOrder },
      handle: ({ params, actor }) => workOrders.complete(params.order, actor),
    }),
    route({
      method: 'POST',
      path: '/work-orders/:order/cancel',
      roles: ['operator', 'provider'],
      summary: 'Cancel an open order; nothing is charged',
      params: order,
      body: z.strictObject({ reason: words(1000) }),
      answer: workOrder,
      example: {
        params: shownParams,
        body: { reason: '申し込みの取り下げ' },
        answer: { ...shownOpenOrder, state: 'CANCELLED', cancelledAt: shown.time, cancelReason: '申し込みの取り下げ' },
      },
      handle: ({ params, body, actor }) => workOrders.cancel(params.order, body.reason, actor),
    }),
  ];
}

/** What a customer may ask for (DOMAIN §12): everything that is held, and that it be erased. */
import * as z from 'zod/mini';
import { count, randomId } from '../../../protocol/fields.ts';
import type { makePrivacy } from '../../flows/privacy.ts';
import { why } from '../customer-fields.ts';
import { customerId, time } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { detail, maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

const who = z.strictObject({ customerId: z.optional(customerId), customer: z.optional(randomId), why }).check(
  z.refine((given) => (given.customerId === undefined) !== (given.customer === undefined), {
    path: ['customer'],
    message: 'exactly one of customer, customerId',
  }),
);

export function privacyRoutes({ privacy }: { privacy: ReturnType<typeof makePrivacy> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/customers/disclose',
      roles: ['operator'],
      summary: 'Everything that is held of a customer, at the customer’s request; audited',
      body: who,
      answer: z.strictObject({
        customer: randomId,
        disclosedAt: time,
        tables: z.record(z.string(), z.strictObject({ holds: z.string(), rows: z.array(detail) })),
        reads: z.array(detail),
      }),
      example: {
        body: { customerId: shown.customerId, why: 'お客さまからの開示のご請求' },
        answer: {
          customer: shown.customer,
          disclosedAt: shown.time,
          tables: {
            sites: {
              holds: 'random id and label of a site',
              rows: [{ id: shown.site, customer: shown.customer, label: '本宅', created_at: shown.time }],
            },
          },
          reads: [{ at: shown.time, actor: '運用担当', action: 'customer.read', detail: { what: 'contract', why: shown.why } }],
        },
      },
      handle: ({ body, actor }) => privacy.disclose(body, body.why, actor),
    }),
    route({
      method: 'POST',
      path: '/customers/erase',
      roles: ['operator'],
      summary: 'Erase a customer at the customer’s request; what a charge rests on stays without a name',
      body: who,
      answer: z.strictObject({
        customer: randomId,
        isFinished: z.boolean(),
        finishesAt: maybe(time),
        erased: z.record(z.string(), count),
      }),
      example: {
        body: { customerId: shown.customerId, why: 'お客さまからの消去のご請求' },
        answer: { customer: shown.customer, isFinished: true, finishesAt: null, erased: { customers: 1, sites: 1, contract_facts: 2 } },
      },
      handle: ({ body, actor }) => privacy.erase(body, body.why, actor),
    }),
  ];
}

/** The whole ladder from the contract to the disk, for any place and any software. */
import * as z from 'zod/mini';
import { gatewayId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeExplainDelivery } from '../../flows/explain-delivery.ts';
import { why } from '../customer-fields.ts';
import { customerId, time } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { both, code, detail, maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

const rung = z.strictObject({
  id: z.string(),
  question: both,
  status: z.enum(['yes', 'no', 'waiting']),
  reasons: z.array(z.strictObject({ number: z.string(), code, ja: z.string(), en: z.string(), remedy: both, who: z.string() })),
  /** The service sheet's words. */
  clause: maybe(z.string()),
  /** What the rung was judged by. */
  inputs: detail,
  since: maybe(time),
});

export function explainRoutes({ explainDelivery }: { explainDelivery: ReturnType<typeof makeExplainDelivery> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/explain',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Why is it there, or why is it not: every rung from the contract to the disk, the first that is missing named; audited',
      body: z
        .strictObject({
          software: softwareId,
          gateway: z.optional(gatewayId),
          site: z.optional(randomId),
          customerId: z.optional(customerId),
          why: z.optional(why),
        })
        .check(
          z.refine(({ gateway, site, customerId: id }) => [gateway, site, id].filter((one) => one !== undefined).length === 1, {
            path: ['gateway'],
            message: 'exactly one of gateway, site, customerId',
          }),
        ),
      answer: z.strictObject({
        software: softwareId,
        site: randomId,
        target: maybe(randomId),
        at: time,
        result: z.enum(['ELIGIBLE', 'HOLD', 'INELIGIBLE', 'TERMINATED']),
        rungs: z.array(rung),
        firstMissing: maybe(z.string()),
      }),
      example: {
        body: { software: shown.software, gateway: shown.gateway },
        answer: {
          software: shown.software,
          site: shown.site,
          target: null,
          at: shown.time,
          result: 'ELIGIBLE',
          rungs: [
            {
              id: 'ordered',
              question: { ja: '配信は申し込まれているか', en: 'Has delivery been ordered?' },
              status: 'no',
              reasons: [
                {
                  number: 'E719',
                  code: 'NOT_ORDERED',
                  ja: '配信のお申し込みを受け付けていません。',
                  en: 'No delivery has been ordered.',
                  remedy: {
                    ja: '事業者が、お客さまIDと同意を添えて配信を申し込みます（tsugite order）。',
                    en: "The provider orders the delivery with the customer's ID and consent (tsugite order).",
                  },
                  who: 'provider',
                },
              ],
              clause: 'ソフトウェアの配信申し込み（事業者→NTT東日本）',
              inputs: {},
              since: null,
            },
          ],
          firstMissing: 'ordered',
        },
      },
      handle: ({ body, actor }) => explainDelivery(body, actor),
    }),
  ];
}

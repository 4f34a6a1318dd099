/** The dated catalogue that eligibility is decided from (DOMAIN D-16). */
import * as z from 'zod/mini';
import type { Clock } from '../../ports.ts';
import { catalogueOn } from '../../rules/catalogue-on.ts';
import type { EligibilityCatalogue } from '../../rules/eligibility-catalogue.ts';
import { japanDay } from '../../rules/japan-day.ts';
import { day } from '../fields.ts';
import { everyRole, type Route, route } from '../route.ts';
import { shown } from '../shown.ts';

const dates = {
  validFrom: day,
  newOrdersUntil: z.nullable(day),
  validTo: z.nullable(day),
  standing: z.enum(['in-force', 'no-new-orders', 'not-yet', 'ended']),
};
const answer = z.strictObject({
  profile: z.string(),
  day,
  lines: z.array(z.strictObject({ line: z.string(), ja: z.string(), en: z.string(), ...dates })),
  series: z.array(z.strictObject({ series: z.string(), models: z.array(z.string()), ...dates })),
  clauses: z.array(z.strictObject({ code: z.string(), clause: z.string() })),
});

export function catalogueRoutes({ catalogue, clock }: { catalogue: EligibilityCatalogue; clock: Clock }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/catalogue',
      roles: everyRole,
      summary: 'Lines and gateway series that the service is offered over, on a day in Japan',
      query: z.strictObject({ on: z.optional(day) }),
      answer,
      example: {
        query: { on: shown.day },
        answer: {
          profile: 'current',
          day: shown.day,
          lines: [
            {
              line: 'LIGHT',
              ja: 'フレッツ 光ライト',
              en: "FLET'S Hikari Light",
              validFrom: '2011-08-02',
              newOrdersUntil: null,
              validTo: '2025-03-31',
              standing: 'ended',
            },
          ],
          series: [
            {
              series: 'PR-400',
              models: ['PR-400KI', 'PR-400MI', 'PR-400NE'],
              validFrom: '2011-08-02',
              newOrdersUntil: null,
              validTo: null,
              standing: 'in-force',
            },
          ],
          clauses: [{ code: 'ELIG_CONTRACT_ENDED', clause: 'これらの契約を解約した場合には、…自動的に廃止となります。' }],
        },
      },
      handle: async ({ query }) => catalogueOn(catalogue, query.on ?? japanDay(clock.nowMs())),
    }),
  ];
}

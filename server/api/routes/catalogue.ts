/** The dated catalogue that eligibility is decided from (DOMAIN D-16). */
import * as z from 'zod/mini';
import type { Clock } from '../../ports.ts';
import { catalogueOn } from '../../rules/catalogue-on.ts';
import type { EligibilityCatalogue } from '../../rules/eligibility-catalogue.ts';
import { japanDay } from '../../rules/japan-day.ts';
import { day } from '../fields.ts';
import { everyRole, type Route, route } from '../route.ts';

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
      handle: async ({ query }) => catalogueOn(catalogue, query.on ?? japanDay(clock.nowMs())),
    }),
  ];
}

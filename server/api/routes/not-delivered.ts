/** The daily list: what was ordered and does not run, and who has to act. */
import * as z from 'zod/mini';
import { whoLabels } from '../../../protocol/errors.ts';
import { count, gatewayId, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import type { Role } from '../../flows/actor.ts';
import type { makeNotDelivered } from '../../flows/not-delivered.ts';
import { ages, missingRules } from '../../rules/not-delivered.ts';
import { time } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { both, code, maybe, targetState } from '../shapes.ts';
import { shown } from '../shown.ts';

const readers: readonly Role[] = ['operator', 'provider', 'technician'];
const age = z.enum(ages.map(({ id }) => id));
const who = z.enum(Object.keys(whoLabels) as (keyof typeof whoLabels)[]);
const query = z.strictObject({
  software: z.optional(softwareId),
  provider: z.optional(providerId),
  who: z.optional(who),
  age: z.optional(age),
});
const row = z.strictObject({
  target: randomId,
  software: softwareId,
  provider: providerId,
  site: randomId,
  gateway: maybe(gatewayId),
  state: targetState,
  version: maybe(version),
  running: maybe(version),
  orderedAt: time,
  since: time,
  age,
  because: z.enum(missingRules),
  who,
  reason: maybe(z.strictObject({ number: z.string(), code, ja: z.string(), en: z.string(), remedy: both })),
});
const counts = z.record(z.string(), z.strictObject({ targets: count, ages: z.partialRecord(age, count) }));

export function notDeliveredRoutes({ notDelivered }: { notDelivered: ReturnType<typeof makeNotDelivered> }): Route[] {
  return [
    route({
      method: 'GET',
      path: '/report/not-delivered',
      roles: readers,
      summary: 'Ordered and not running: since when, why, and who has to act; the oldest order first',
      query,
      list: randomId,
      answer: row,
      example: {
        query: { who: 'installer' },
        answer: {
          target: shown.target,
          software: shown.software,
          provider: shown.provider,
          site: shown.site,
          gateway: shown.gateway,
          state: 'DELIVERING',
          version: shown.version,
          running: null,
          orderedAt: shown.time,
          since: shown.time,
          age: 'month',
          because: 'never-seen',
          who: 'installer',
          reason: {
            number: 'E419',
            code: 'GATEWAY_SILENT',
            ja: 'ホームゲートウェイが、まだ一度も接続していません。',
            en: 'The home gateway has never connected.',
            remedy: {
              ja: 'ホームゲートウェイを回線に接続し、登録を済ませてください（tsugite-agent enroll）。',
              en: 'Connect the gateway to the line and enrol it (tsugite-agent enroll).',
            },
          },
        },
      },
      handle: ({ query: filter, page, actor }) => notDelivered.list(filter, page, actor),
    }),
    route({
      method: 'GET',
      path: '/report/not-delivered/sum',
      roles: readers,
      summary: 'The same in numbers: by who has to act, by reason, by age',
      query,
      answer: z.strictObject({ at: time, targets: count, byWho: counts, byReason: counts }),
      example: {
        answer: {
          at: shown.time,
          targets: 3,
          byWho: { installer: { targets: 2, ages: { week: 1, month: 1 } }, nobody: { targets: 1, ages: { day: 1 } } },
          byReason: { E419: { targets: 2, ages: { week: 1, month: 1 } }, waiting: { targets: 1, ages: { day: 1 } } },
        },
      },
      handle: ({ query: filter, actor }) => notDelivered.sum(filter, actor),
    }),
  ];
}

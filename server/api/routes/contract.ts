/** Contract events (DOMAIN D-31) and the ends of days. */
import * as z from 'zod/mini';
import { TsugiteError } from '../../../protocol/errors.ts';
import { count, gatewayId, positive, providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeContractEvents } from '../../flows/contract-events.ts';
import type { EvaluateDays, Evaluation } from '../../flows/evaluate-days.ts';
import { heldError } from '../../flows/pending-changes.ts';
import { place, why } from '../customer-fields.ts';
import { day, gatewayModel, rowNumber, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { detail, maybe, moves } from '../shapes.ts';
import { shown } from '../shown.ts';

const line = z.enum(['LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER', 'CROSS']);
const carrier = z.nullable(words(200));

const event = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal(['cancel-line', 'cancel-hgw', 'cancel-phone', 'end-rental', 'start-rental', 'type-change-completed']),
    detail: z._default(z.strictObject({}), {}),
  }),
  z.strictObject({ kind: z.literal('start-line'), detail: z.strictObject({ line, collabCarrier: z.exactOptional(carrier) }) }),
  z.strictObject({ kind: z.literal('transfer'), detail: z.strictObject({ collabCarrier: words(200), line: z.exactOptional(line) }) }),
  z.strictObject({ kind: z.literal('change-carrier'), detail: z.strictObject({ collabCarrier: carrier, line: z.exactOptional(line) }) }),
  z.strictObject({ kind: z.literal('relocate'), detail: z._default(z.strictObject({ line: z.exactOptional(line) }), {}) }),
  z.strictObject({ kind: z.literal('change-line'), detail: z.strictObject({ line }) }),
  z.strictObject({ kind: z.literal('start-phone'), detail: z.strictObject({ denwa: z.enum(['STANDARD', 'OFFICE_TYPE', 'OFFICE_A']) }) }),
  z.strictObject({
    kind: z.literal('swap-device'),
    detail: z.strictObject({ gateway: gatewayId, model: z.exactOptional(gatewayModel) }),
  }),
  z.strictObject({
    kind: z.literal('provider-cancel'),
    detail: z.strictObject({ provider: providerId, software: z.exactOptional(softwareId) }),
  }),
]);

export function contractRoutes({
  events,
  evaluateDays,
}: {
  events: ReturnType<typeof makeContractEvents>;
  evaluateDays: EvaluateDays;
}): Route[] {
  return [
    route({
      method: 'POST',
      path: '/contract/events',
      roles: ['operator'],
      summary: 'Enter a contract event; it acts at the end of its day in Japan',
      status: 201,
      body: z.strictObject({ at: place, event, effectiveOn: z.optional(day) }),
      answer: z.strictObject({ event: positive, kind: z.string(), site: randomId, effectiveOn: day, ja: z.string() }),
      example: {
        body: { at: { customerId: shown.customerId }, event: { kind: 'cancel-phone', detail: {} } },
        answer: { event: 17, kind: 'cancel-phone', site: shown.site, effectiveOn: shown.day, ja: 'ひかり電話の解約' },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => events.enter(body.at, body.event, body.effectiveOn, actor),
    }),
    route({
      method: 'POST',
      path: '/contract/events/search',
      roles: ['operator'],
      summary: 'The contract events of a site; audited',
      body: z.strictObject({ at: place, why }),
      list: rowNumber,
      answer: z.strictObject({
        event: positive,
        kind: z.string(),
        effectiveOn: day,
        detail,
        enteredAt: time,
        enteredBy: z.string(),
        outcome: z.enum(['waiting', 'applied', 'void']),
        settledAt: maybe(time),
      }),
      example: {
        body: { at: { site: shown.site }, why: 'お客さまからのお問い合わせ' },
        answer: {
          event: 17,
          kind: 'cancel-phone',
          effectiveOn: shown.day,
          detail: {},
          enteredAt: shown.time,
          enteredBy: '運用担当',
          outcome: 'waiting',
          settledAt: null,
        },
      },
      handle: ({ body, actor, page }) => events.list(body.at, body.why, actor, page),
    }),
    route({
      method: 'POST',
      path: '/contract/events/:event/void',
      roles: ['operator'],
      summary: 'Take back an event that has not acted yet',
      params: z.strictObject({ event: rowNumber }),
      body: z.strictObject({ reason: words(200) }),
      answer: z.strictObject({ event: positive, outcome: z.literal('void') }),
      example: { params: { event: '17' }, body: { reason: '入力の誤り' }, answer: { event: 17, outcome: 'void' } },
      handle: ({ params, body, actor }) => events.voidEvent(params.event, body.reason, actor),
    }),
    route({
      method: 'POST',
      path: '/contract/evaluate',
      roles: ['operator'],
      summary: 'Evaluate the days through this one now; today only when it is asked for',
      body: z.strictObject({ through: z.optional(z.union([z.literal('today'), day])) }),
      answer: z.strictObject({ through: day, days: z.array(day), sites: count, moves }),
      example: { body: {}, answer: { through: '2026-11-21', days: ['2026-11-21'], sites: 1, moves: [] } },
      handle: async ({ body, actor }) => told(await evaluateDays({ through: body.through, actor })),
    }),
  ];
}

const movesTold = 1_000;

/** What waits for a second person is an error to whoever asked, with all that was done beside it. */
function told(evaluation: Evaluation | 'busy'): Omit<Evaluation, 'held'> {
  if (evaluation === 'busy') throw new TsugiteError('SERVER_BUSY');
  const { held, ...done } = { ...evaluation, moves: evaluation.moves.slice(0, movesTold) };
  const [first] = held;
  if (first !== undefined) throw heldError(first, { changes: held.map(({ change }) => change), done });
  return done;
}

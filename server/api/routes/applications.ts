/** Applications (サービス利用申し込み): a customer's way to a software in the sheet's seven steps (DOMAIN §5.1). Step 5 is an order (POST /targets). */
import * as z from 'zod/mini';
import { providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeApplications } from '../../flows/applications.ts';
import { type ApplicationEvent, type ApplicationState, applicationEvents, applicationMachine, payees } from '../../rules/application.ts';
import { customerId, time, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { both, maybe } from '../shapes.ts';
import { shown } from '../shown.ts';

const state = z.enum(Object.keys(applicationMachine) as ApplicationState[]);
const event = z.enum(Object.keys(applicationEvents) as ApplicationEvent[]);
const preparedBy = z.enum(['installer', 'customer', 'notNeeded']);
const one = z.strictObject({ application: randomId });
const moved = z.strictObject({ application: randomId, state, isRepeat: z.boolean() });
const row = {
  application: randomId,
  software: softwareId,
  provider: providerId,
  reference: z.string(),
  state,
  /** Whether the お客さまID is known; the ID itself is told nobody. */
  isCustomerKnown: z.boolean(),
  target: maybe(randomId),
  createdAt: time,
};
const shownRow = {
  application: shown.application,
  software: shown.software,
  provider: shown.provider,
  reference: 'A-1001',
  state: 'ENV_READY',
  isCustomerKnown: true,
  target: null,
  createdAt: shown.time,
};

export function applicationRoutes({ applications }: { applications: ReturnType<typeof makeApplications> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/applications',
      roles: ['operator', 'provider'],
      summary: 'Step 1: a customer applied to the provider; the same number again is the same application',
      status: 201,
      body: z.strictObject({ software: softwareId, reference: words(200) }),
      answer: moved,
      example: {
        body: { software: shown.software, reference: 'A-1001' },
        answer: { application: shown.application, state: 'APPLIED', isRepeat: false },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => applications.open(body, actor),
    }),
    route({
      method: 'POST',
      path: '/applications/:application/steps',
      roles: ['operator', 'provider', 'technician'],
      summary: 'Steps 2 to 4, or the end: each is said by whom it belongs to',
      params: one,
      body: z.strictObject({
        event: z.enum(['consulted', 'lineOrdered', 'lineInUse', 'guideSent', 'environmentPrepared', 'closed']),
        customerId: z.optional(customerId),
        preparedBy: z.optional(preparedBy),
      }),
      answer: moved,
      example: {
        params: { application: shown.application },
        body: { event: 'environmentPrepared', preparedBy: 'customer' },
        answer: { application: shown.application, state: 'ENV_READY', isRepeat: false },
      },
      handle: ({ params, body, actor }) => applications.step(params.application, body, actor),
    }),
    route({
      method: 'GET',
      path: '/applications',
      roles: ['operator', 'provider'],
      summary: 'Applications, oldest first',
      query: z.strictObject({ software: z.optional(softwareId), state: z.optional(state) }),
      list: randomId,
      answer: z.strictObject(row),
      example: { query: { state: 'ENV_READY' }, answer: shownRow },
      handle: ({ query, page, actor }) => applications.list(query, page, actor),
    }),
    route({
      method: 'GET',
      path: '/applications/:application',
      roles: ['operator', 'provider', 'technician'],
      summary: 'An application with every step, what may come next, and who is paid for what (step 7)',
      params: one,
      answer: z.strictObject({
        ...row,
        steps: z.array(z.strictObject({ event: z.string(), to: state, preparedBy: maybe(preparedBy), at: time, by: z.string() })),
        next: z.array(z.strictObject({ event, ja: z.string(), en: z.string() })),
        payees: z.array(z.strictObject({ what: both, payee: both })),
      }),
      example: {
        params: { application: shown.application },
        answer: {
          ...shownRow,
          steps: [
            { event: 'serviceApplied', to: 'APPLIED', preparedBy: null, at: shown.time, by: 'acme' },
            { event: 'environmentPrepared', to: 'ENV_READY', preparedBy: 'customer', at: shown.time, by: 'acme' },
          ],
          next: [{ event: 'deliveryRequested', ja: 'ソフトウェアの配信申し込み', en: 'order of the delivery' }],
          payees: payees.map(({ what, payee }) => ({ what: { ...what }, payee: { ...payee } })),
        },
      },
      handle: ({ params, actor }) => applications.show(params.application, actor),
    }),
  ];
}

/** Customers (お客さま), their sites, and what is under contract there. An お客さまID stands in POST bodies only. */
import * as z from 'zod/mini';
import { gatewayId, line, randomId } from '../../../protocol/fields.ts';
import { factsVersion, type makeCustomers } from '../../flows/customers.ts';
import { place, why } from '../customer-fields.ts';
import { customerId, day, gatewayModel, words } from '../fields.ts';
import { type Route, route } from '../route.ts';
import { eligibility, eligible, maybe, moves } from '../shapes.ts';
import { shown } from '../shown.ts';

/** DOMAIN §4.1; what is left out stays as it is. */
const facts = z.strictObject({
  line: z.optional(z.enum(['LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER', 'CROSS', 'NONE'])),
  access: z.optional(z.enum(['DIRECT', 'COLLAB'])),
  collabCarrier: z.optional(z.nullable(words(200))),
  hgwModel: z.optional(z.nullable(gatewayModel)),
  denwa: z.optional(z.enum(['NONE', 'STANDARD', 'OFFICE_TYPE', 'OFFICE_A'])),
  rental: z.optional(z.boolean()),
  officeEq: z.optional(z.enum(['yes', 'no', 'unknown'])),
  bflets: z.optional(z.boolean()),
  typeChanged: z.optional(z.enum(['none', 'applied', 'completed'])),
  lineCancelled: z.optional(z.boolean()),
  hgwCancelled: z.optional(z.boolean()),
});

const allFacts = z.required(facts);
const shownFacts = {
  line: 'NEXT_OTHER',
  access: 'DIRECT',
  collabCarrier: null,
  hgwModel: shown.model,
  denwa: 'STANDARD',
  rental: false,
  officeEq: 'no',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};

/** JSON has no undefined: a field that is absent changes nothing. */
type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };
function present<T extends object>(value: T): Present<T> {
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Present<T>;
}

export function customerRoutes({ customers }: { customers: ReturnType<typeof makeCustomers> }): Route[] {
  return [
    route({
      method: 'POST',
      path: '/customers',
      roles: ['operator'],
      summary: 'Register a customer, its site and what is under contract there',
      status: 201,
      body: z.strictObject({ customerId, label: z.optional(line(200)), facts }),
      answer: z.strictObject({ customer: randomId, site: randomId, eligibility }),
      example: {
        body: {
          customerId: shown.customerId,
          label: '本宅',
          facts: { line: 'NEXT_OTHER', access: 'DIRECT', hgwModel: shown.model, denwa: 'STANDARD', officeEq: 'no' },
        },
        answer: { customer: shown.customer, site: shown.site, eligibility: eligible },
      },
      oncePerKey: true,
      handle: ({ body, actor }) => customers.register({ ...body, facts: present(body.facts) }, actor),
    }),
    route({
      method: 'POST',
      path: '/customers/search',
      roles: ['operator'],
      summary: 'From an お客さまID to the random ids; audited',
      body: z.strictObject({ customerId, why }),
      answer: z.strictObject({ customer: randomId, sites: z.array(z.strictObject({ site: randomId, label: z.string() })) }),
      example: {
        body: { customerId: shown.customerId, why: 'お客さまからのお問い合わせ' },
        answer: { customer: shown.customer, sites: [{ site: shown.site, label: '本宅' }] },
      },
      handle: ({ body, actor }) => customers.find(body.customerId, body.why, actor),
    }),
    route({
      method: 'POST',
      path: '/sites/search',
      roles: ['operator'],
      summary: 'What is under contract at a site; audited',
      body: z.strictObject({ at: place, why }),
      answer: z.strictObject({ site: randomId, customer: randomId, gateway: maybe(gatewayId), facts: allFacts }),
      example: {
        body: { at: { site: shown.site }, why: 'お客さまからのお問い合わせ' },
        answer: { site: shown.site, customer: shown.customer, gateway: shown.gateway, facts: shownFacts },
      },
      handle: ({ body, actor }) => customers.readSite(body.at, body.why, actor),
      tag: ({ facts: seen }) => factsVersion(seen),
    }),
    route({
      method: 'POST',
      path: '/sites/:site/facts',
      roles: ['operator'],
      summary: 'Correct contract facts; they act on targets at once, those for a later day at its end',
      params: z.strictObject({ site: randomId }),
      body: z.strictObject({ changes: facts, effectiveOn: z.optional(day) }),
      answer: z.strictObject({ site: randomId, eligibility, moves }),
      example: {
        params: { site: shown.site },
        body: { changes: { officeEq: 'no' } },
        answer: { site: shown.site, eligibility: eligible, moves: [] },
      },
      takesIfMatch: true,
      handle: ({ params, body, ifMatch, actor }) =>
        customers.changeFacts(params.site, { ...body, changes: present(body.changes), ifMatch }, actor),
    }),
  ];
}

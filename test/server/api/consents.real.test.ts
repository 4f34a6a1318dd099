import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aPeopleSide, consent, type PeopleSideRig, type Reply } from '../../support/people-side.ts';

const hourMs = 3_600_000;
let rig: PeopleSideRig;
let home: { customerId: string; customer: string; site: string };
beforeAll(async () => {
  rig = await aPeopleSide();
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
  for (const name of ['heater', 'lamp']) await rig.admit(rig.aPackage({ software: `${name}.acme`, web: undefined }));
  await rig.admit(rig.aPackage({ software: 'radio.other', provider: 'other', web: undefined }));
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  home = await rig.aCustomer();
});

let papers = 0;
const aPaper = (more: object = {}) => {
  papers += 1;
  return { ...consent, reference: `P-${papers}`, ...more };
};
const record = (who: string, body: object, paper: object = aPaper()) =>
  rig.ask(who, 'POST', '/consents', { at: { customerId: home.customerId }, consent: paper, ...body });
const withdraw = (id: unknown, more: object = {}, who = 'operator') =>
  rig.ask(who, 'POST', `/consents/${id}/withdraw`, { withdrawnBy: 'the customer', withdrawnHow: 'telephone', ...more });
const search = (who: string, body: object) => rig.ask(who, 'POST', '/consents/search', { why: 'the customer asks', ...body });
const ordered = async (paper: object = aPaper(), more: object = {}) => (await rig.order(home.customerId, { consent: paper, ...more })).body;
const targetOf = async (id: unknown) => (await rig.ask('operator', 'GET', `/targets/${id}`)).body;
const idOf = async (reference: unknown) =>
  (await rig.db.query<{ id: string }>('SELECT id FROM consents WHERE reference = $1 ORDER BY recorded_at DESC', [reference]))[0]?.id;
const items = ({ body }: Reply) => body.items as Record<string, unknown>[];

describe('recorded', () => {
  test('by its provider before the order: the order rests on it', async () => {
    const { status, body } = await record('provider:acme', { software: 'heater.acme' });
    expect([status, body]).toMatchObject([201, { scopes: ['delivery'] }]);
    expect((await ordered(undefined, { consent: undefined })).state).toBe('READY');
    expect(items(await search('operator', { customer: home.customer }))).toMatchObject([
      {
        consent: body.consent,
        provider: 'acme',
        software: 'heater.acme',
        inForce: ['delivery'],
        givenBy: 'the customer',
        givenHow: 'application form',
        recordedBy: 'provider:acme',
        withdrawals: [],
      },
    ]);
  });

  test('for every software of its provider, and for no other provider', async () => {
    await record('operator', { provider: 'acme' });
    expect((await ordered(undefined, { software: 'lamp.acme', consent: undefined })).state).toBe('READY');
    expect((await ordered(undefined, { software: 'radio.other', consent: undefined })).number).toBe('E710');
  });

  test('the same number for two software is two consents: each target rests on its own', async () => {
    const paper = aPaper();
    const one = await ordered(paper);
    const two = await ordered(paper, { software: 'lamp.acme' });
    expect(await rig.db.query('SELECT software_id AS software FROM consents WHERE reference = $1 ORDER BY 1', [paper.reference])).toEqual([
      { software: 'heater.acme' },
      { software: 'lamp.acme' },
    ]);
    const [first] = items(await search('provider:acme', { reference: paper.reference, software: 'heater.acme' }));
    await withdraw(first?.consent);
    expect([(await targetOf(one.target)).state, (await targetOf(two.target)).state]).toEqual(['TERMINATED', 'READY']);
  });

  test.each([
    ['for another provider', 'provider:other', { provider: 'acme' }, {}, 'E952'],
    ['for a software that is not its own', 'provider:other', { software: 'heater.acme' }, {}, 'E953'],
    ['for nobody', 'operator', {}, {}, 'E932'],
    ['by a technician to a delivery', 'technician', {}, {}, 'E952'],
    ['given in the future', 'provider:acme', {}, { givenAt: '2999-01-01T00:00:00Z' }, 'E932'],
    ['with a scope that is none', 'provider:acme', {}, { scopes: ['everything'] }, 'E932'],
  ])('not %s', async (_, who, body, paper, number) => {
    expect((await record(who, body, aPaper(paper))).body.number).toBe(number);
  });

  test('diagnostics on paper, by the technician in front of the gateway, for 24 hours', async () => {
    await rig.ask('operator', 'POST', '/gateways', { gateway: 'gw-paper-1', model: 'PR-400KI', site: home.site });
    const body = { at: { gateway: 'gw-paper-1' } };
    const paper = aPaper({ scopes: ['diagnostics'], givenAt: new Date(rig.clock.nowMs()).toISOString() });
    expect((await record('technician', body, paper)).status).toBe(201);
    const inForce = async () => items(await search('operator', { customer: home.customer }))[0];
    expect(await inForce()).toMatchObject({ provider: null, software: null, inForce: ['diagnostics'] });
    rig.clock.offsetMs = 24 * hourMs;
    expect(await inForce()).toMatchObject({ scopes: ['diagnostics'], inForce: [] });
  });
});

describe('taken back', () => {
  test('the reasons: the provider reads E100 from that moment on, and the software stays', async () => {
    const paper = aPaper({ scopes: ['delivery', 'reasonsToProvider'] });
    const { target } = await ordered(paper);
    await rig.ask('operator', 'POST', `/sites/${home.site}/facts`, { changes: { line: 'CROSS' } });
    const explain = async () =>
      JSON.stringify((await rig.ask('provider:acme', 'POST', '/explain', { software: 'heater.acme', site: home.site })).body);
    expect(await explain()).toContain('E101');
    const done = await withdraw(await idOf(paper.reference), { scopes: ['reasonsToProvider'] }, 'provider:acme');
    expect(done.body).toMatchObject({ withdrawn: ['reasonsToProvider'], inForce: ['delivery'], ended: [] });
    expect(await explain()).toContain('E100');
    expect(await explain()).not.toContain('E101');
    expect((await targetOf(target)).state).toBe('SUSPENDED');
  });

  test('the delivery: what rested on it ends with the household’s reason; a new order needs a new paper', async () => {
    const paper = aPaper();
    const { target } = await ordered(paper);
    const done = await withdraw(await idOf(paper.reference));
    expect(done.body).toMatchObject({ withdrawn: ['delivery'], inForce: [], ended: [target], held: null });
    expect(await targetOf(target)).toMatchObject({ state: 'TERMINATED', removedReason: 'household', codes: ['CONSENT_MISSING'] });
    expect((await ordered(paper)).number).toBe('E726');
    expect((await ordered(undefined, { consent: undefined })).number).toBe('E710');
    expect((await ordered()).state).toBe('READY');
  });

  test('twice it changes nothing more, and who and how stay as they were said first', async () => {
    const paper = aPaper();
    await ordered(paper);
    const id = await idOf(paper.reference);
    await withdraw(id);
    expect((await withdraw(id, { withdrawnBy: 'somebody else' })).body).toMatchObject({ withdrawn: [], ended: [] });
    expect(items(await search('operator', { customerId: home.customerId }))[0]).toMatchObject({
      withdrawals: [{ scope: 'delivery', by: 'the customer', how: 'telephone', recordedBy: 'operator' }],
    });
  });

  test('by a provider only what was given to it: another’s is not there', async () => {
    const paper = aPaper();
    await ordered(paper);
    expect(await withdraw(await idOf(paper.reference), {}, 'provider:other')).toMatchObject({ status: 404 });
  });

  test('an order of the same moment either comes before the withdrawal and ends, or after it and is refused', async () => {
    const paper = aPaper();
    await record('provider:acme', { software: 'heater.acme' }, paper);
    const id = await idOf(paper.reference);
    const [order] = await Promise.all([rig.order(home.customerId, { consent: undefined }), withdraw(id)]);
    const state = order.body.target === undefined ? order.body.number : (await targetOf(order.body.target)).state;
    expect(['E710', 'TERMINATED']).toContain(state);
  });
});

describe('looked up', () => {
  test('by a provider: its own, by its own numbers, without a name of the customer', async () => {
    const paper = aPaper();
    await ordered(paper);
    const found = items(await search('provider:acme', { reference: paper.reference }));
    expect(found).toHaveLength(1);
    expect(JSON.stringify(found)).not.toContain(home.customer);
    expect(items(await search('provider:other', { reference: paper.reference }))).toEqual([]);
    expect((await search('provider:acme', { customerId: home.customerId })).body.number).toBe('E932');
    expect((await search('operator', {})).body.number).toBe('E932');
  });

  test('a page at a time, each look with who and why in the audit', async () => {
    for (let count = 0; count < 3; count += 1) await record('operator', { provider: 'acme' });
    const first = await rig.ask('operator', 'POST', '/consents/search?limit=2', { customer: home.customer, why: 'an inquiry' });
    expect(items(first)).toHaveLength(2);
    const second = await rig.ask('operator', 'POST', `/consents/search?limit=2&after=${first.body.next}`, {
      customer: home.customer,
      why: 'x',
    });
    expect([items(second).length, second.body.next]).toEqual([1, null]);
    expect((await rig.ask('operator', 'POST', '/consents/search', { customer: home.customer })).status).toBe(400);
    const [read] = await rig.db.query(
      "SELECT actor, detail->>'why' AS why, detail->>'what' AS what FROM audit WHERE action = 'customer.read' AND subject = $1 ORDER BY seq",
      [home.customer],
    );
    expect(read).toEqual({ actor: 'operator', why: 'an inquiry', what: 'consents' });
  });
});

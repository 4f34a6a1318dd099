/** A customer's seven steps with the real order and the real report: each word in its order, each by whom it belongs to. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { aPeopleSide, consent, type PeopleSideRig } from '../../support/people-side.ts';
import { aQuietGateway } from '../../support/quiet-gateway.ts';

let rig: PeopleSideRig;
let reference: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
  await rig.admit(rig.aPackage());
  await rig.admit(rig.aPackage({ software: 'lamp.acme', web: undefined }));
});
afterAll(() => rig.stop());
beforeEach(() => {
  names += 1;
  reference = `A-${names}`;
});

const open = async (who = 'provider:acme', software = 'heater.acme') =>
  (await rig.ask(who, 'POST', '/applications', { software, reference })).body;
const step = (id: unknown, event: string, more: object = {}, who = 'operator') =>
  rig.ask(who, 'POST', `/applications/${id}/steps`, { event, ...more });
const show = async (id: unknown) => (await rig.ask('operator', 'GET', `/applications/${id}`)).body;
const order = (body: object, who = 'provider:acme') => rig.ask(who, 'POST', '/targets', { software: 'heater.acme', consent, ...body });

describe('a household without a line', () => {
  test('goes all seven steps, and is served when its gateway says so', async () => {
    const { application } = await open();
    expect((await step(application, 'consulted')).body).toMatchObject({ state: 'CONSULTED' });
    expect((await step(application, 'lineOrdered')).body).toMatchObject({ state: 'LINE_ORDERED' });
    const { customerId, site } = await rig.aCustomer();
    expect((await step(application, 'guideSent', { customerId })).body).toMatchObject({ state: 'LINE_READY' });
    expect((await step(application, 'environmentPrepared', { preparedBy: 'installer' }, 'technician')).body).toMatchObject({
      state: 'ENV_READY',
    });
    const { body } = await order({ application });
    expect(body).toMatchObject({ state: 'READY', isRepeat: false });
    expect(await show(application)).toMatchObject({ state: 'REQUESTED', target: body.target });

    const gateway = await aQuietGateway(rig, `gw-steps-${names}`, site);
    await gateway.publish();
    await gateway.reports({ kind: 'start', target: String(body.target), version: '1.0.0' as Version });
    expect(await show(application)).toMatchObject({ state: 'REQUESTED' });
    await gateway.reports({ kind: 'end', target: String(body.target), state: 'committed', version: '1.0.0' as Version });
    expect(await show(application)).toMatchObject({
      state: 'ACTIVE',
      steps: [
        { event: 'serviceApplied', to: 'APPLIED', by: 'provider:acme' },
        { event: 'consulted', to: 'CONSULTED', by: 'operator' },
        { event: 'lineOrdered', to: 'LINE_ORDERED' },
        { event: 'guideSent', to: 'LINE_READY' },
        { event: 'environmentPrepared', to: 'ENV_READY', preparedBy: 'installer', by: 'technician' },
        { event: 'deliveryRequested', to: 'REQUESTED', by: 'provider:acme' },
        { event: 'delivered', to: 'ACTIVE', by: gateway.gateway },
      ],
      payees: [{ payee: { ja: expect.stringContaining('運用者') } }, { payee: { ja: '事業者' } }],
    });
    await rig.ask('provider:acme', 'POST', `/targets/${body.target}/cancel`, {});
    expect(await show(application)).toMatchObject({ state: 'CLOSED', next: [] });
  });

  test('5 waits for the guide and for the premises, and says so with the step that is missing', async () => {
    const { application } = await open();
    const { customerId } = await rig.aCustomer();
    await step(application, 'lineOrdered');
    expect((await order({ application, customerId })).body).toMatchObject({
      number: 'E727',
      ja: '前の手順（アクセスライン、ホームゲートウェイの申し込み）が済んでいないため、この手順（ソフトウェアの配信申し込み）に進めません。',
      who: 'operator',
    });
    await step(application, 'guideSent', { customerId });
    expect((await order({ application })).body).toMatchObject({
      number: 'E727',
      ja: expect.stringContaining('環境の準備'),
      who: 'provider',
    });
    expect(
      await rig.db.query(
        'SELECT t.id FROM targets t JOIN sites s ON s.id = t.site_id JOIN customers c ON c.id = s.customer WHERE c.customer_id = $1',
        [customerId],
      ),
    ).toEqual([]);
    await step(application, 'environmentPrepared', { preparedBy: 'notNeeded' });
    expect((await order({ application })).body.state).toBe('READY');
  });
});

describe('a household that has line and gateway', () => {
  test('goes from 1 to 5 with the お客さまID that it holds', async () => {
    const { application } = await open();
    const { customerId } = await rig.aCustomer();
    expect((await order({ application, customerId })).body.state).toBe('READY');
    expect(await show(application)).toMatchObject({ state: 'REQUESTED', isCustomerKnown: true });
  });

  test('5 without any お客さまID is E112, and so is one that nobody has', async () => {
    const { application } = await open();
    expect((await order({ application })).body.number).toBe('E112');
    expect((await order({ application, customerId: 'NOBODY' })).body.number).toBe('E112');
    expect((await step(application, 'guideSent', { customerId: 'NOBODY' })).body.number).toBe('E112');
    expect(await show(application)).toMatchObject({ state: 'APPLIED' });
  });

  test('an order that names no application takes its open one, and is held to its steps', async () => {
    const { application } = await open();
    const { customerId } = await rig.aCustomer();
    await step(application, 'lineInUse', { customerId });
    expect((await order({ customerId })).body.number).toBe('E727');
    await step(application, 'environmentPrepared', { preparedBy: 'customer' }, 'provider:acme');
    expect((await order({ customerId })).body.state).toBe('READY');
    expect(await show(application)).toMatchObject({ state: 'REQUESTED' });
  });

  test('5 said again is the same target and the same step, also for an application that was written down afterwards', async () => {
    const { customerId } = await rig.aCustomer();
    const first = (await order({ customerId })).body;
    const { application } = await open();
    expect((await order({ application, customerId })).body).toMatchObject({ target: first.target, isRepeat: true });
    expect((await order({ application })).body).toMatchObject({ target: first.target, isRepeat: true });
    expect(await show(application)).toMatchObject({ state: 'REQUESTED', target: first.target, steps: { length: 2 } });
  });

  test('an order that the conditions refuse leaves the application where it was', async () => {
    const { application } = await open();
    const { customerId } = await rig.aCustomer({ line: 'CROSS' });
    expect((await order({ application, customerId })).body.number).toBe('E100');
    expect(await show(application)).toMatchObject({ state: 'APPLIED', isCustomerKnown: false });
  });
});

describe('who may say what', () => {
  test('a step belongs to whom the sheet gives it; `delivered` to nobody', async () => {
    const { application } = await open();
    for (const [event, who] of [
      ['consulted', 'provider:acme'],
      ['lineOrdered', 'provider:acme'],
      ['lineOrdered', 'technician'],
      ['closed', 'technician'],
    ] as const)
      expect([event, who, (await step(application, event, {}, who)).status]).toEqual([event, who, 403]);
    for (const event of ['delivered', 'deliveryRequested']) expect((await step(application, event)).status).toBe(400);
    expect(await show(application)).toMatchObject({ state: 'APPLIED' });
  });

  test('another provider’s application is not there', async () => {
    const { application } = await open();
    expect((await step(application, 'closed', {}, 'provider:other')).status).toBe(404);
    expect((await rig.ask('provider:other', 'GET', `/applications/${application}`)).status).toBe(404);
    expect((await rig.ask('provider:other', 'GET', '/applications')).body.items).toEqual([]);
    expect((await rig.ask('provider:other', 'POST', '/applications', { software: 'heater.acme', reference })).status).toBe(404);
    const { customerId } = await rig.aCustomer();
    expect((await order({ application, customerId, software: 'lamp.acme' })).status).toBe(404);
  });

  test.each([
    ['guideSent', {}],
    ['lineInUse', {}],
    ['environmentPrepared', {}],
    ['consulted', { customerId: 'CAF1' }],
    ['closed', { preparedBy: 'customer' }],
  ])('%s with %j says too little or too much', async (event, more) => {
    const { application } = await open();
    expect((await step(application, event, more)).status).toBe(400);
  });

  test('an application is one customer’s for good', async () => {
    const { application } = await open();
    const [one, other] = [await rig.aCustomer(), await rig.aCustomer()];
    await step(application, 'lineInUse', { customerId: one.customerId });
    await step(application, 'environmentPrepared', { preparedBy: 'customer' });
    expect((await order({ application, customerId: other.customerId })).body.number).toBe('E954');
  });
});

test('the same number again is the same application; no お客さまID stands in any answer', async () => {
  const { application } = await open();
  expect(await open()).toMatchObject({ application, isRepeat: true, state: 'APPLIED' });
  expect((await open('operator', 'lamp.acme')).application).not.toBe(application);
  const { customerId, customer } = await rig.aCustomer();
  await step(application, 'lineInUse', { customerId });
  const told = JSON.stringify([await show(application), (await rig.ask('provider:acme', 'GET', '/applications')).body]);
  expect(told).not.toContain(customerId);
  expect(told).not.toContain(customer);
});

describe('a refused order', () => {
  test('that brings a paper for reasons keeps the paper, so that no お客さまID can be tried unseen', async () => {
    const { customerId, customer } = await rig.aCustomer({ line: 'CROSS' });
    const paper = { ...consent, reference: `R-${names}`, scopes: ['delivery', 'reasonsToProvider'] };
    expect((await order({ customerId, consent: paper })).body.number).toBe('E101');
    expect(await rig.db.query('SELECT reference, recorded_by AS by FROM consents WHERE customer = $1', [customer])).toEqual([
      { reference: paper.reference, by: 'provider:acme' },
    ]);
    expect(
      await rig.db.query("SELECT actor, detail->>'number' AS number FROM audit WHERE action = 'target.refuse' AND subject = $1", [
        customer,
      ]),
    ).toEqual([{ actor: 'provider:acme', number: 'E101' }]);
  });

  test('with a paper that was taken back shows nothing of the contract', async () => {
    const { customerId, customer } = await rig.aCustomer({ line: 'CROSS' });
    const paper = { ...consent, reference: `W-${names}`, scopes: ['delivery', 'reasonsToProvider'] };
    await order({ customerId, consent: paper });
    const [row] = await rig.db.query<{ id: string }>('SELECT id FROM consents WHERE customer = $1', [customer]);
    await rig.ask('operator', 'POST', `/consents/${row?.id}/withdraw`, { withdrawnBy: 'x', withdrawnHow: 'y' });
    const again = await order({ customerId, consent: paper });
    expect(again.body.number).toBe('E726');
    expect(JSON.stringify(again.body)).not.toMatch(/E101|光クロス/);
  });
});

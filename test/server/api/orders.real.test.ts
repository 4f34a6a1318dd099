import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChain } from '../../../server/flows/audit-log.ts';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, consent, eligibleFacts, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
  await rig.admit(rig.aPackage());
  await rig.admit(rig.aPackage({ software: 'lamp.other', provider: 'other' }));
});
afterAll(() => rig.stop());

const t8 = { line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI', denwa: 'OFFICE_TYPE', officeEq: 'yes' };
const t14 = { bflets: true };
const stateOf = async (target: unknown) => (await rig.ask('operator', 'GET', `/targets/${target}`)).body.state;

describe('an order (step 5)', () => {
  test('T1 becomes a ready target, and the same order again is the same target', async () => {
    const { customerId } = await rig.aCustomer();
    const first = await rig.order(customerId);
    expect(first).toMatchObject({ status: 201, body: { state: 'READY', version: '1.0.0', isRepeat: false } });
    expect((await rig.order(customerId)).body).toMatchObject({ target: first.body.target, isRepeat: true });
    expect((await rig.order(` ${customerId.toLowerCase()} `)).body.target).toBe(first.body.target);
  });

  test('T8 is refused with its code and sentence, and makes no target', async () => {
    const { customerId, site } = await rig.aCustomer(t8);
    const { status, body } = await rig.order(customerId);
    expect(status).toBe(422);
    expect(body).toMatchObject({
      number: 'E105',
      code: 'ELIG_OFFICE_EQUIPMENT',
      reasons: [{ number: 'E105', ja: expect.stringContaining('ビジネスフォン') }],
    });
    expect(await rig.db.query('SELECT id FROM targets WHERE site_id = $1', [site])).toEqual([]);
  });

  test('several reasons are all told', async () => {
    const { customerId } = await rig.aCustomer({ line: 'CROSS', hgwModel: 'XG-100NE' });
    const { body } = await rig.order(customerId);
    expect((body.reasons as { number: string }[]).map(({ number }) => number)).toEqual(['E101', 'E103']);
  });

  test('T14 stays on hold until the type change is completed, and is then registered', async () => {
    const { customerId, site } = await rig.aCustomer(t14);
    const { body } = await rig.order(customerId);
    expect(body).toMatchObject({ state: 'HOLD', reasons: [{ code: 'ELIG_TYPE_CHANGE' }] });
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { typeChanged: 'applied' } });
    expect(await stateOf(body.target)).toBe('HOLD');
    const done = await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { typeChanged: 'completed' } });
    expect(done.body).toMatchObject({ eligibility: { result: 'ELIGIBLE' }, moves: [{ target: body.target, from: 'HOLD', to: 'READY' }] });
    expect((await rig.ask('operator', 'GET', `/targets/${body.target}`)).body.readyAt).not.toBeNull();
  });

  test.each([
    ['an unknown customer', { customerId: 'CAF99999999' }, 'E112'],
    ['a customer id that cannot be one', { customerId: "x'; DROP TABLE customers; --" }, 'E112'],
    ['no consent', { consent: undefined }, 'E710'],
    ['a consent to something else', { consent: { ...consent, scopes: ['diagnostics'] } }, 'E710'],
    ['an unknown software', { software: 'nothing.acme' }, 'E953'],
  ])('%s is refused', async (_, more, number) => {
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, more)).body.number).toBe(number);
  });

  test('D-17: a provider that needs no application orders without a consent', async () => {
    await rig.aProvider('free', { consentNotRequired: 'a free information service' });
    await rig.admit(rig.aPackage({ software: 'info.free', provider: 'free' }));
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software: 'info.free', consent: undefined })).body.state).toBe('READY');
  });

  test('a model without a package, a software that is too large for it, and a full gateway are refused before anything is billed', async () => {
    await rig.admit(rig.aPackage({ software: 'only500.acme', models: ['PR-500KI'] }));
    await rig.admit(rig.aPackage({ software: 'large.acme' }, [aFile('main.js', ''), aFile('zero.bin', Buffer.alloc(6_000_000))]));
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software: 'only500.acme' })).body.number).toBe('E207');
    expect((await rig.order(customerId, { software: 'large.acme' })).body).toMatchObject({
      number: 'E304',
      context: { limit: 6_000_000, actual: 6_000_000 },
    });
    for (const name of ['one', 'two', 'three', 'four']) await rig.admit(rig.aPackage({ software: `${name}.acme` }));
    for (const name of ['one', 'two', 'three']) expect((await rig.order(customerId, { software: `${name}.acme` })).status).toBe(201);
    expect((await rig.order(customerId, { software: 'four.acme' })).body).toMatchObject({ number: 'E307', context: { limit: 3 } });
  });

  test('two orders at the same moment make one target', async () => {
    const { customerId, site } = await rig.aCustomer();
    const replies = await Promise.all(Array.from({ length: 5 }, () => rig.order(customerId)));
    expect(new Set(replies.map(({ body }) => body.target)).size).toBe(1);
    expect(await rig.db.query('SELECT id FROM targets WHERE site_id = $1', [site])).toHaveLength(1);
  });
});

describe('contract facts act on targets', () => {
  const change = (site: string, changes: object, more = {}) => rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes, ...more });

  test('T23: a cancelled line ends the service, and a later order is a new target', async () => {
    const { customerId, site } = await rig.aCustomer();
    const { target } = (await rig.order(customerId)).body;
    await change(site, { lineCancelled: true });
    expect((await rig.ask('operator', 'GET', `/targets/${target}`)).body).toMatchObject({
      state: 'TERMINATED',
      removedReason: 'cancelled',
      codes: ['ELIG_CONTRACT_ENDED'],
    });
    expect((await rig.order(customerId)).body.number).toBe('E107');
    await change(site, { lineCancelled: false });
    const again = (await rig.order(customerId)).body;
    expect(again).toMatchObject({ state: 'READY', isRepeat: false });
    expect(again.target).not.toBe(target);
  });

  test('T8 and T25: office equipment suspends, its removal brings the software back', async () => {
    const { customerId, site } = await rig.aCustomer({ ...t8, officeEq: 'no' });
    const { target } = (await rig.order(customerId)).body;
    await change(site, { officeEq: 'yes' });
    expect(await stateOf(target)).toBe('SUSPENDED');
    await change(site, { officeEq: 'no' });
    expect(await stateOf(target)).toBe('READY');
  });

  test('a change for a later day is written down and does not act today', async () => {
    const { customerId, site } = await rig.aCustomer();
    const { target } = (await rig.order(customerId)).body;
    await change(site, { lineCancelled: true }, { effectiveOn: '2999-12-31' });
    expect(await stateOf(target)).toBe('READY');
  });

  test('a change asks for a new notice of that gateway only', async () => {
    const one = await rig.aCustomer();
    const two = await rig.aCustomer();
    for (const [gateway, { site }] of [
      ['gw-due-0001', one],
      ['gw-due-0002', two],
    ] as const)
      expect((await rig.ask('operator', 'POST', '/gateways', { gateway, model: eligibleFacts.hgwModel, site })).status).toBe(201);
    await rig.db.query('UPDATE gateways SET notice_due_at = NULL');
    await rig.order(one.customerId);
    expect(await rig.db.query('SELECT id FROM gateways WHERE notice_due_at IS NOT NULL')).toEqual([{ id: 'gw-due-0001' }]);
  });
});

describe('updates of targets', () => {
  test('a release is wanted on every target that can take it; the others keep theirs and say why', async () => {
    const software = 'grows.acme';
    await rig.admit(rig.aPackage({ software }));
    const small = await rig.aCustomer({ hgwModel: 'PR-400KI' });
    const large = await rig.aCustomer({ hgwModel: 'RT-500MI' });
    const targets = [];
    for (const { customerId } of [small, large]) targets.push((await rig.order(customerId, { software })).body.target);
    await rig.admit(rig.aPackage({ software, version: '2.0.0' }, [aFile('main.js', ''), aFile('zero.bin', Buffer.alloc(6_200_000))]));
    const { body } = await rig.ask('provider:acme', 'POST', '/releases/deploy', { software, version: '2.0.0' });
    const outcome = Object.fromEntries((body.targets as { target: string }[]).map((one) => [one.target, one]));
    expect(body).toMatchObject({ moved: 1, unchanged: 0, refused: 1 });
    expect(outcome[targets[0] as string]).toMatchObject({
      outcome: 'refused',
      code: 'SIZE_OVER_LIMIT',
      detail: { limit: 6_000_000, actual: 6_200_000 },
    });
    expect(outcome[targets[1] as string]).toMatchObject({ outcome: 'moved' });
    expect((await rig.ask('operator', 'GET', `/targets/${targets[1]}`)).body).toMatchObject({ version: '2.0.0', plan: 5 });
  });

  test('a retry counts a new attempt; a cancelled target is not retried', async () => {
    const { customerId } = await rig.aCustomer();
    const { target } = (await rig.order(customerId)).body;
    expect((await rig.ask('operator', 'POST', `/targets/${target}/retry`)).body).toMatchObject({ attempt: 2 });
    await rig.ask('operator', 'POST', `/targets/${target}/cancel`, { reason: 'household' });
    expect(await rig.ask('operator', 'POST', `/targets/${target}/retry`)).toMatchObject({ status: 409, body: { number: 'E718' } });
  });
});

describe('what a provider may see', () => {
  test('without the scope for reasons it is told E100, with it every code', async () => {
    const { customerId } = await rig.aCustomer(t8);
    expect((await rig.order(customerId, {}, 'provider:acme')).body).toMatchObject({ number: 'E100' });
    expect(JSON.stringify((await rig.order(customerId, {}, 'provider:acme')).body)).not.toContain('E105');
    const open = { consent: { ...consent, scopes: ['delivery', 'reasonsToProvider'] } };
    expect((await rig.order(customerId, open, 'provider:acme')).body.number).toBe('E105');
  });

  test("another's software, targets and releases are not there for it", async () => {
    const { customerId } = await rig.aCustomer();
    const { target } = (await rig.order(customerId)).body;
    expect((await rig.order(customerId, {}, 'provider:other')).body.number).toBe('E953');
    expect((await rig.ask('provider:other', 'GET', `/targets/${target}`)).status).toBe(404);
    expect((await rig.ask('provider:other', 'POST', `/targets/${target}/cancel`, {})).status).toBe(404);
    expect((await rig.ask('provider:other', 'GET', '/releases?software=heater.acme')).body).toEqual({ items: [], next: null });
    expect(JSON.stringify((await rig.ask('provider:other', 'GET', '/targets')).body)).not.toContain('acme');
    expect((await rig.ask('provider:other', 'POST', '/explain', { software: 'heater.acme', customerId })).status).toBe(404);
  });
});

describe('explain', () => {
  type Rung = { id: string; status: string; reasons: { number: string; ja: string }[]; clause?: string };
  const explain = async (who: string, question: object) =>
    (await rig.ask(who, 'POST', '/explain', { software: 'heater.acme', ...question })).body as {
      rungs: Rung[];
      firstMissing?: string;
      result: string;
    };

  test('a fresh customer lacks the order; after it, the gateway', async () => {
    const { customerId, site } = await rig.aCustomer();
    expect(await explain('operator', { customerId })).toMatchObject({ result: 'ELIGIBLE', firstMissing: 'consent' });
    await rig.order(customerId);
    expect(await explain('operator', { site })).toMatchObject({ firstMissing: 'gateway' });
    await rig.ask('operator', 'POST', '/gateways', { gateway: 'gw-explain-1', model: 'PR-400KI', site });
    const { rungs, firstMissing } = await explain('technician', { gateway: 'gw-explain-1' });
    expect(firstMissing).toBe('gateway');
    expect(rungs.find(({ id }) => id === 'gateway')?.reasons).toMatchObject([{ number: 'E907' }]);
  });

  test('T8 and T14 come with their sentence and the clause of the sheet', async () => {
    const eight = await rig.aCustomer(t8);
    const rung = (await explain('operator', { customerId: eight.customerId })).rungs.find(({ id }) => id === 'office-equipment');
    expect(rung).toMatchObject({ status: 'no', clause: expect.stringContaining('配信をすることはできません') });
    expect(rung?.reasons[0]).toMatchObject({ number: 'E105', ja: expect.stringContaining('配信できません') });
    const fourteen = await rig.aCustomer(t14);
    expect(await explain('operator', { customerId: fourteen.customerId })).toMatchObject({ result: 'HOLD', firstMissing: 'type-change' });
  });

  test('a provider without that scope sees one rung in place of the contract', async () => {
    const { customerId } = await rig.aCustomer(t8);
    const { rungs } = await explain('provider:acme', { customerId });
    expect(rungs[0]).toMatchObject({ id: 'conditions', status: 'no', reasons: [{ number: 'E100' }] });
    expect(rungs.some(({ id }) => id === 'office-equipment')).toBe(false);
    expect(JSON.stringify(rungs)).not.toMatch(/E105|OFFICE/);
  });
});

describe('privacy and audit', () => {
  test('no customer id reaches the log, the audit or an answer', async () => {
    const { customerId, site } = await rig.aCustomer();
    await rig.order(customerId);
    await rig.ask('operator', 'POST', '/customers', { customerId, facts: eligibleFacts });
    await rig.ask('operator', 'POST', '/customers/search', { customerId, why: 'test' });
    await rig.ask('operator', 'POST', '/sites/search', { at: { site }, why: 'test' });
    expect(JSON.stringify(rig.lines)).not.toContain(customerId);
    expect(JSON.stringify(await rig.db.query('SELECT * FROM audit'))).not.toContain(customerId);
    expect(JSON.stringify((await rig.ask('operator', 'POST', '/customers/search', { customerId, why: 'test' })).body)).not.toContain(
      customerId,
    );
  });

  test('each read of customer data is in the audit, and every row is chained to the one before', async () => {
    const { customer, customerId } = await rig.aCustomer();
    await rig.ask('technician', 'POST', '/explain', { software: 'heater.acme', customerId });
    expect(await rig.db.query("SELECT actor FROM audit WHERE action = 'customer.read' AND subject = $1", [customer])).toEqual([
      { actor: 'technician' },
    ]);
    const { rows, faults } = await readChain(rig.db, []);
    expect(faults).toEqual([]);
    expect(rows).toBeGreaterThan(10);
  });
});

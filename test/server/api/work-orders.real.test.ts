import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sheetPrices } from '../../../protocol/price-tables.ts';
import { aPeopleSide, type PeopleSideRig, type Reply } from '../../support/people-side.ts';

/** Work orders that somebody at the operator completes (`work.completion: operator`), and those that it opens by hand. */
let rig: PeopleSideRig;
let software: string;
let names = 0;
beforeAll(async () => {
  const later = { ...sheetPrices, name: 'later', validFrom: '2031-02', menuMonthlyYen: 22_000, basicWorkYen: 12_100 };
  rig = await aPeopleSide({ completion: 'operator', billing: { tables: [sheetPrices, later] } });
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.clock.offsetMs = 0;
  names += 1;
  software = `lamp-${names}.acme`;
});

const operator = (method: 'GET' | 'POST', url: string, body?: object) => rig.ask('operator', method, url, body);
const acme = (method: 'GET' | 'POST', url: string, body?: object) => rig.ask('provider:acme', method, url, body);
const upload = async (manifest: Record<string, unknown> = {}, who = 'provider:acme') =>
  String((await rig.upload(rig.aPackage({ software, ...manifest }), who)).body.release);
const w1 = { oneOffYen: 29_480, monthlyYen: 11_000 };
const register = (release: string, accept: object = w1, who = 'provider:acme') =>
  rig.ask(who, 'POST', '/registrations', { releases: [release], accept });
const orderOf = ({ body }: Reply) => String(body.order);
const complete = (order: string) => operator('POST', `/work-orders/${order}/complete`);
const stateOf = async () => (await rig.db.query<{ state: string }>('SELECT state FROM software WHERE id = $1', [software]))[0]?.state;
const completed = async (manifest: Record<string, unknown> = {}) => complete(orderOf(await register(await upload(manifest))));

describe('a provider’s order that waits for the operator', () => {
  test('keeps the name for the provider, and is neither delivered nor charged until the work is done', async () => {
    const release = await upload();
    const reply = await register(release);
    expect(reply.body).toMatchObject({
      state: 'OPEN',
      completedAt: null,
      accepted: w1,
      items: [{ work: 'new', releaseState: 'MEASURED', menu: null }],
    });
    expect(await stateOf()).toBe('MEASURED');
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body.code).toBe('STATE_FORBIDS');
    expect((await rig.upload(rig.aPackage({ software, provider: 'other' }), 'provider:other')).body.number).toBe('E714');
    expect((await register(release)).body).toMatchObject({ order: orderOf(reply), isRepeat: true });

    expect((await complete(orderOf(reply))).body).toMatchObject({
      state: 'COMPLETED',
      completedAt: expect.any(String),
      items: [{ releaseState: 'ADMITTED', menu: 1 }],
    });
    expect(await stateOf()).toBe('PUBLISHED');
    const [row] = await rig.db.query<{ at: Date; completed: Date }>(
      'SELECT s.registered_at AS at, o.completed_at AS completed FROM software s JOIN releases r ON r.software_id = s.id JOIN work_orders o ON o.id = r.work_order_id WHERE s.id = $1',
      [software],
    );
    expect(row?.at).toEqual(row?.completed);
    expect(await complete(orderOf(reply))).toMatchObject({ status: 409, body: { number: 'E718' } });
  });

  test('registers exactly what was accepted: nothing can be uploaded into it, added to it, or discarded under it', async () => {
    const release = await upload({ models: ['PR-400KI'] });
    const order = orderOf(await register(release));
    expect((await rig.upload(rig.aPackage({ software, models: ['PR-500KI'] }))).body.code).toBe('STATE_FORBIDS');
    expect((await acme('POST', `/uploads/${release}/discard`)).body.code).toBe('STATE_FORBIDS');
    const another = await upload({ software: `${software}.b` });
    expect((await operator('POST', `/work-orders/${order}/items`, { release: another })).body).toMatchObject({
      code: 'STATE_FORBIDS',
      context: { state: 'accepted' },
    });
  });

  test('is refused when another price table is in force by then, and the provider has to accept anew', async () => {
    const order = orderOf(await register(await upload()));
    rig.clock.offsetMs = Date.parse('2031-02-01T00:00:00+09:00') - Date.now();
    const now = { oneOffYen: 40_480, monthlyYen: 22_000 };
    expect((await complete(order)).body).toMatchObject({ number: 'E722', context: { found: w1, expected: now } });
    expect(await stateOf()).toBe('MEASURED');
    await acme('POST', `/work-orders/${order}/cancel`, { reason: 'the price' });
    const [{ release }] = (await rig.db.query('SELECT id AS release FROM measured_releases WHERE software_id = $1', [software])) as [
      { release: string },
    ];
    expect((await register(release)).body.number).toBe('E722');
    expect((await complete(orderOf(await register(release, now)))).body.state).toBe('COMPLETED');
  });

  test('cancelled by its provider charges nothing: the upload waits again, and the name is free', async () => {
    const release = await upload();
    const order = orderOf(await register(release));
    expect((await acme('POST', `/work-orders/${order}/cancel`, { reason: 'too early' })).body).toMatchObject({
      state: 'CANCELLED',
      cancelReason: 'too early',
    });
    expect(await stateOf()).toBeUndefined();
    expect(await complete(order)).toMatchObject({ status: 409 });
    const theirs = await upload({ provider: 'other' }, 'provider:other');
    expect((await register(theirs, w1, 'provider:other')).body.state).toBe('OPEN');
    expect((await register(release)).body.number).toBe('E714');
  });

  test('of a software that is registered already leaves it as it is when cancelled', async () => {
    await completed();
    const order = orderOf(await register(await upload({ version: '2.0.0' }), { oneOffYen: 26_400, monthlyYen: 11_000 }));
    await operator('POST', `/work-orders/${order}/cancel`, { reason: 'x' });
    expect(await stateOf()).toBe('PUBLISHED');
  });

  test('a second order for the same software waits for the first', async () => {
    await register(await upload());
    const second = await register(await upload({ version: '1.1.0' }));
    expect(second.body).toMatchObject({ code: 'STATE_FORBIDS', context: { state: 'OPEN' } });
  });
});

describe('an order of the operator', () => {
  const open = async (provider = 'acme') => orderOf(await operator('POST', '/work-orders', { provider, note: 'two lamps' }));
  const add = (order: string, item: object) => operator('POST', `/work-orders/${order}/items`, item);

  test('W13: holds several software, shows its price while it is open, and charges the basic fee once', async () => {
    const order = await open();
    expect((await add(order, { release: await upload() })).body).toMatchObject({ price: w1 });
    expect((await add(order, { release: await upload({ software: `${software}.b` }) })).body).toMatchObject({
      price: { oneOffYen: 57_860 },
    });
    expect((await operator('GET', `/work-orders/${order}`)).body).toMatchObject({
      state: 'OPEN',
      note: 'two lamps',
      price: { oneOffYen: 57_860, monthlyYen: 22_000 },
    });
    expect((await complete(order)).body).toMatchObject({ state: 'COMPLETED', accepted: null, items: [{ work: 'new' }, { work: 'new' }] });
    expect((await operator('GET', `/work-orders/${order}`)).body).toMatchObject({ price: null, obstacle: null });
  });

  test('W15: an other change needs a registered software of the provider, and no release', async () => {
    const order = await open();
    const note = '対応機種の名称を変更';
    expect((await add(order, { software, note })).body.code).toBe('NOT_FOUND');
    await completed();
    expect((await add(order, { software, note })).body).toMatchObject({
      price: { oneOffYen: 5_500, monthlyYen: 0 },
      items: [{ work: 'other', note, release: null }],
    });
    expect((await complete(order)).body.state).toBe('COMPLETED');
    expect((await add(await open('other'), { software, note })).body.code).toBe('NOT_FOUND');
  });

  test('takes no software twice, nothing of another provider, and is not completed empty', async () => {
    const order = await open();
    expect((await complete(order)).body).toMatchObject({ code: 'STATE_FORBIDS', context: { state: 'empty' } });
    await add(order, { release: await upload() });
    expect((await add(order, { release: await upload({ version: '1.1.0' }) })).body.code).toBe('STATE_FORBIDS');
    const theirs = await upload({ provider: 'other', software: `${software}.c` }, 'provider:other');
    expect((await add(order, { release: theirs })).body.code).toBe('NOT_FOUND');
    for (const item of [{}, { release: 'x' }, { software }, { release: theirs, software, note: 'x' }])
      expect((await add(order, item)).status).toBe(400);
  });

  test('says what stands in the way when something of it cannot be registered any more', async () => {
    await completed();
    const order = await open();
    await add(order, { release: await upload({ version: '2.0.0' }) });
    await rig.admit(rig.aPackage({ software, version: '3.0.0' }));
    expect((await operator('GET', `/work-orders/${order}`)).body).toMatchObject({ price: null, obstacle: { code: 'VERSION_NOT_HIGHER' } });
    expect((await complete(order)).body.number).toBe('E713');
    expect((await operator('POST', `/work-orders/${order}/cancel`, { reason: 'older' })).body.state).toBe('CANCELLED');
  });

  test('is listed with the newest first, by state, a page at a time', async () => {
    const order = await open();
    const { body } = await operator('GET', '/work-orders?state=OPEN&provider=acme&limit=1');
    expect(body.items).toMatchObject([{ order, state: 'OPEN' }]);
    const next = (await operator('GET', `/work-orders?state=OPEN&provider=acme&limit=1&after=${body.next}`)).body.items as {
      order: string;
    }[];
    expect(next[0]?.order).not.toBe(order);
    expect((await acme('GET', `/work-orders/${order}`)).status).toBe(200);
  });
});

test('every step of every order is in the audit', async () => {
  const rows = await rig.db.query<{ action: string }>("SELECT DISTINCT action FROM audit WHERE action LIKE 'work.%' ORDER BY action");
  expect(rows.map(({ action }) => action)).toEqual(['work.accept', 'work.add', 'work.cancel', 'work.complete', 'work.open']);
});

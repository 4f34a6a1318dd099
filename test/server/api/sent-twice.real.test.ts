import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aPeopleSide, consent, eligibleFacts, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider();
  await rig.admit(rig.aPackage({ software: 'heater.acme' }));
});
afterAll(() => rig.stop());

const dayMs = 86_400_000;
const withKey = (key: string) => ({ 'idempotency-key': key });
const event = (site: string) => ({ at: { site }, event: { kind: 'start-rental', detail: {} } });
const enter = (site: string, key?: string) =>
  rig.ask('operator', 'POST', '/contract/events', event(site), key === undefined ? {} : withKey(key));
const eventsOf = async (site: string) => (await rig.db.query('SELECT id FROM contract_events WHERE site_id = $1', [site])).length;
const keptKeys = async () => (await rig.db.query('SELECT key FROM request_keys')).length;

describe('a request with an Idempotency-Key', () => {
  test('sent again does nothing more, and is answered as the first time, byte by byte', async () => {
    const { site } = await rig.aCustomer();
    const first = await enter(site, 'event-0001');
    const again = await enter(site, 'event-0001');
    expect(again).toMatchObject({ status: 201, body: first.body });
    expect([first.headers['idempotent-replayed'], again.headers['idempotent-replayed']]).toEqual([undefined, 'true']);
    expect(await eventsOf(site)).toBe(1);
    await enter(site);
    await enter(site);
    expect(await eventsOf(site)).toBe(3);
  });

  test('twenty at once are carried out once; whoever comes while it runs is told to wait', async () => {
    const { site } = await rig.aCustomer();
    const replies = await Promise.all(Array.from({ length: 20 }, () => enter(site, 'twins-0001')));
    const events = new Set(replies.filter(({ status }) => status === 201).map(({ body }) => body.event));
    expect(events.size).toBe(1);
    for (const reply of replies.filter(({ status }) => status !== 201)) {
      expect(reply).toMatchObject({ status: 409, body: { number: 'E958', code: 'REQUEST_RUNNING', retry: 'later' } });
      expect(reply.headers['retry-after']).toBe('1');
    }
    expect(await eventsOf(site)).toBe(1);
  });

  test('with another body is refused by a code of its own', async () => {
    const [here, there] = [await rig.aCustomer(), await rig.aCustomer()];
    await enter(here.site, 'reused-0001');
    expect(await enter(there.site, 'reused-0001')).toMatchObject({ status: 422, body: { number: 'E957', code: 'REQUEST_KEY_REUSED' } });
    expect(await eventsOf(there.site)).toBe(0);
  });

  test('is another one for another caller, and for another route', async () => {
    const { customerId } = await rig.aCustomer();
    const order = { software: 'heater.acme', customerId, consent };
    const first = await rig.ask('provider:acme', 'POST', '/targets', order, withKey('shared-0001'));
    const other = await rig.ask('operator', 'POST', '/targets', order, withKey('shared-0001'));
    expect([first.body.isRepeat, other.body.isRepeat]).toEqual([false, true]);
    expect((await rig.ask('operator', 'POST', `/targets/${first.body.target}/cancel`, {}, withKey('shared-0001'))).body.number).toBe(
      'E957',
    );
  });

  test('that was refused may be sent again when what stood in the way is gone', async () => {
    const customerId = 'CAF99990001';
    const order = () => rig.ask('operator', 'POST', '/targets', { software: 'heater.acme', customerId, consent }, withKey('refused-0001'));
    expect((await order()).body.number).toBe('E112');
    await rig.ask('operator', 'POST', '/customers', { customerId, facts: eligibleFacts });
    const done = await order();
    expect(done.status).toBe(201);
    expect((await order()).body).toEqual(done.body);
  });

  test('is kept for a day and then forgotten', async () => {
    const { site } = await rig.aCustomer();
    await enter(site, 'day-00000001');
    rig.clock.offsetMs = dayMs - 60_000;
    await enter(site, 'day-00000001');
    expect(await eventsOf(site)).toBe(1);
    rig.clock.offsetMs = dayMs + 60_000;
    await enter(site, 'day-00000001');
    expect([await eventsOf(site), await keptKeys()]).toEqual([2, 1]);
    rig.clock.offsetMs = 0;
  });

  test.each(['short', 'with space in it', 'x'.repeat(101), '"quoted-by-half', 'ключ-0000001'])('is refused as %j', async (key) => {
    const { site } = await rig.aCustomer();
    const reply = await enter(site, Buffer.from(key).toString('latin1'));
    expect(reply).toMatchObject({ status: 400, body: { context: { faults: [{ field: 'Idempotency-Key' }] } } });
  });

  test('may be quoted, as the draft has it', async () => {
    const { site } = await rig.aCustomer();
    await enter(site, '"quoted-0001"');
    await enter(site, 'quoted-0001');
    expect(await eventsOf(site)).toBe(1);
  });

  test('is refused where a route takes none: nobody relies on what is not kept', async () => {
    const reply = await rig.ask('operator', 'POST', '/tokens', { role: 'viewer', label: 'x' }, withKey('token-0001'));
    expect(reply).toMatchObject({ status: 400, body: { context: { faults: [{ field: 'Idempotency-Key' }] } } });
  });
});

test('what is kept of an answer is no secret: routes that answer with one take no key', () => {
  const secretive = rig.routes.filter(({ path }) => /token|invitation/.test(path));
  expect(secretive.length).toBeGreaterThan(3);
  expect(secretive.filter(({ oncePerKey }) => oncePerKey === true)).toEqual([]);
});

test('an answer that has not changed is 304, whatever it is asked for as', async () => {
  const first = await rig.ask('operator', 'GET', '/providers');
  const etag = String(first.headers.etag);
  expect(etag).toMatch(/^"[\w-]{22}"$/);
  for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await rig.app.inject({
      method: 'GET',
      url: '/api/v1/providers',
      headers: { authorization: `Bearer ${await rig.bearerOf('operator')}`, 'if-none-match': known },
    });
    expect([known, again.statusCode, again.body, again.headers.etag]).toEqual([known, 304, '', etag]);
  }
  await rig.aProvider('newcomer');
  const now = await rig.ask('operator', 'GET', '/providers', undefined, { 'if-none-match': etag });
  expect([now.status, now.headers.etag === etag]).toEqual([200, false]);
});

test('a correction of what somebody else has corrected since is refused, when it says what it has seen', async () => {
  const { site } = await rig.aCustomer();
  const look = async () => String((await rig.ask('operator', 'POST', '/sites/search', { at: { site }, why: 'x' })).headers.etag);
  const correct = (officeEq: string, ifMatch?: string) =>
    rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { officeEq } }, ifMatch === undefined ? {} : { 'if-match': ifMatch });
  const seen = await look();
  expect((await correct('unknown', seen)).status).toBe(200);
  expect(await correct('yes', seen)).toMatchObject({ status: 412, body: { number: 'E959', code: 'VERSION_CHANGED' } });
  expect(await correct('yes', `W/${await look()}`)).toMatchObject({ status: 412 }); // not a strong one
  expect((await correct('yes', `"other", ${await look()}`)).status).toBe(200);
  expect((await correct('no', '*')).status).toBe(200);
  expect((await correct('yes')).status).toBe(200);
});

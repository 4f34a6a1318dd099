import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aPeopleSide, eligibleFacts, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
});
afterAll(() => rig.stop());

/** Every route that the server listens to, with something in place of its parameters. */
function everyRoute(): { method: 'GET' | 'POST'; url: string }[] {
  const tree = rig.app.printRoutes({ commonPrefix: false, includeHooks: false });
  const routes: { method: 'GET' | 'POST'; url: string }[] = [];
  const stack: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', path = '', methods = ''] = /^([│├└─\s]*)(\S+)(?: \((.+)\))?$/.exec(line) ?? [];
    if (path === '') continue;
    stack.length = indent.replace(/[├└]── $/, '').length / 4;
    stack.push(path);
    for (const method of methods.split(', '))
      if (method === 'GET' || method === 'POST') routes.push({ method, url: stack.join('').replace(/:\w+/g, 'something-0001') });
  }
  return routes;
}

describe('who may call what', () => {
  test('every route but health refuses a caller without a good token, before it reads anything', async () => {
    const routes = everyRoute();
    expect(routes.length).toBeGreaterThan(25);
    for (const { method, url } of routes) {
      if (url === '/api/v1/health') continue;
      for (const authorization of ['', 'Bearer wrong', `Bearer tsugite_${'a'.repeat(26)}`, 'Basic b3A6b3A=']) {
        const reply = await rig.app.inject({ method, url, headers: { authorization, 'content-type': 'application/json' }, payload: '{' });
        expect([url, reply.statusCode, reply.json().number]).toEqual([url, 401, 'E951']);
      }
    }
  });

  test('a viewer changes nothing and a technician sees no tokens', async () => {
    const changes = everyRoute().filter(({ method }) => method === 'POST');
    for (const { url } of changes)
      expect([url, (await rig.ask('viewer', 'POST', url.replace('/api/v1', ''), {})).status]).toEqual([url, 403]);
    expect((await rig.ask('technician', 'GET', '/tokens')).status).toBe(403);
    expect((await rig.ask('technician', 'POST', '/providers', { provider: 'acme', name: 'x' })).body).toMatchObject({
      number: 'E952',
      code: 'API_FORBIDDEN',
    });
  });

  test('a token ends when it is revoked, and when its days are over', async () => {
    const made = (await rig.ask('operator', 'POST', '/tokens', { role: 'viewer', label: 'short', days: 1 })).body as {
      id: string;
      token: string;
    };
    const status = async () =>
      (await rig.app.inject({ method: 'GET', url: '/api/v1/status', headers: { authorization: `Bearer ${made.token}` } })).statusCode;
    expect(await status()).toBe(200);
    rig.clock.offsetMs = 86_400_001;
    expect(await status()).toBe(401);
    rig.clock.offsetMs = 0;
    await rig.ask('operator', 'POST', `/tokens/${made.id}/revoke`);
    expect(await status()).toBe(401);
    expect(JSON.stringify((await rig.ask('operator', 'GET', '/tokens')).body)).not.toContain(made.token);
  });
});

describe('bad input', () => {
  test('every faulty field is named at once, as a problem document', async () => {
    const reply = await rig.ask('operator', 'POST', '/gateways', { gateway: 'X', model: 'pr 400', site: '../..', more: 1 });
    expect(reply).toMatchObject({ status: 400, body: { number: 'E932', code: 'INPUT_REFUSED', status: 400 } });
    expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
    const fields = (reply.body.context as { faults: { field: string }[] }).faults.map(({ field }) => field);
    expect(fields).toEqual(expect.arrayContaining(['gateway', 'model', 'site', '(top)']));
  });

  test.each([
    ['no JSON', '{', 'application/json'],
    ['another type', 'a=1', 'application/x-www-form-urlencoded'],
    ['too long', `{"name":"${'a'.repeat(300_000)}"}`, 'application/json'],
    ['a poisoned prototype', '{"__proto__":{"role":"operator"}}', 'application/json'],
  ])('a body of %s is refused', async (_, payload, type) => {
    const { token } = await rig.tokens.create({ role: 'operator', label: 'raw' });
    const reply = await rig.app.inject({
      method: 'POST',
      url: '/api/v1/providers',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      payload,
    });
    expect(reply.statusCode).toBe(400);
    expect(reply.json()).toMatchObject({ number: 'E932' });
  });

  test('an unknown route is a problem document too', async () => {
    const reply = await rig.app.inject({ method: 'GET', url: '/api/v1/nothing' });
    expect(reply.json()).toMatchObject({ status: 404, number: 'E953' });
  });

  test('a calendar day that does not exist is refused', async () => {
    const { site } = await rig.aCustomer();
    const reply = await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: eligibleFacts, effectiveOn: '2026-02-30' });
    expect(reply.status).toBe(400);
  });
});

test('what nobody foresaw is told without its text, and logged with it', async () => {
  await rig.db.query('ALTER TABLE providers RENAME TO hidden');
  const reply = await rig.ask('operator', 'GET', '/providers');
  await rig.db.query('ALTER TABLE hidden RENAME TO providers');
  expect(reply).toMatchObject({ status: 500, body: { number: 'E999' } });
  expect(JSON.stringify(reply.body)).not.toContain('relation');
  expect(rig.lines.some(({ event }) => event === 'api.fault')).toBe(true);
});

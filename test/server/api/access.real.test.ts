import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiPrefix } from '../../../server/api/app.ts';
import { documentPaths } from '../../../server/api/documents.ts';
import type { Role } from '../../../server/flows/actor.ts';
import { aPeopleSide, eligibleFacts, type PeopleSideRig } from '../../support/people-side.ts';

/** The rest is behind a token. */
const withoutToken = documentPaths.map((path) => `GET ${path}`);

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
});
afterAll(() => rig.stop());

type Asked = { method: string; url: string };

/** Every route that the server listens to, by what it wrote down itself. */
function heardRoutes(): Asked[] {
  const tree = rig.app.printRoutes({ commonPrefix: false, includeHooks: false });
  const routes: Asked[] = [];
  const stack: string[] = [];
  for (const line of tree.split('\n')) {
    const [, indent = '', path = '', methods = ''] = /^([│├└─\s]*)(\S+)(?: \((.+)\))?$/.exec(line) ?? [];
    if (path === '') continue;
    stack.length = indent.replace(/[├└]── $/, '').length / 4;
    stack.push(path);
    for (const method of methods.split(', ')) if (method !== '' && method !== 'HEAD') routes.push({ method, url: stack.join('') });
  }
  return routes;
}

/** With something in place of its parameters. */
const filled = (url: string): string => url.replace(/:\w+/g, 'something-0001');
const callers: Record<Role, string> = { operator: 'operator', provider: 'provider:acme', technician: 'technician', viewer: 'viewer' };

describe('who may call what', () => {
  beforeAll(() => rig.aProvider());

  test('the server listens to the routes of the table, and to nothing else', () => {
    const table = rig.routes.map(({ method, path }) => `${method} ${apiPrefix}${path}`);
    expect(
      heardRoutes()
        .map(({ method, url }) => `${method} ${url}`)
        .sort(),
    ).toEqual([...table, ...withoutToken].sort());
    expect(new Set(table).size).toBe(table.length);
    expect(table.length).toBeGreaterThan(35);
  });

  test('without a token there is health, and the description of the API', () => {
    expect(rig.routes.filter(({ roles }) => roles === 'anyone').map(({ path }) => path)).toEqual(['/health']);
  });

  test('every other route refuses a caller without a good token, before it reads anything', async () => {
    for (const { method, path, roles } of rig.routes) {
      if (roles === 'anyone') continue;
      for (const authorization of ['', 'Bearer wrong', `Bearer tsugite_${'a'.repeat(26)}`, 'Basic b3A6b3A=']) {
        const headers = { authorization, 'content-type': 'application/json' };
        const reply = await rig.app.inject({ method, url: apiPrefix + filled(path), headers, payload: method === 'POST' ? '{' : '' });
        expect([path, reply.statusCode, reply.json().number]).toEqual([path, 401, 'E951']);
      }
    }
  });

  test.each(Object.entries(callers) as [Role, string][])('%s may call what its rows say; everything else is 403', async (role, who) => {
    for (const { method, path, roles } of rig.routes) {
      const reply = await rig.ask(who, method, filled(path), method === 'POST' ? {} : undefined);
      if (roles === 'anyone' || roles.includes(role)) expect([path, [401, 403, 500].includes(reply.status)]).toEqual([path, false]);
      else expect([path, reply.status, reply.body.code, reply.body.number]).toEqual([path, 403, 'API_FORBIDDEN', 'E952']);
    }
  });

  test('a viewer changes nothing but its own token; a technician sees no tokens', () => {
    const changes = rig.routes.filter(({ method, roles }) => method === 'POST' && roles.includes('viewer' as never));
    expect(changes.map(({ path }) => path)).toEqual(['/tokens/replace']);
    const tokens = rig.routes.find(({ method, path }) => method === 'GET' && path === '/tokens');
    expect(tokens?.roles).toEqual(['operator']);
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

/** A hostile provider cannot see, squat, price or halt what is another's; and no provider learns about a customer what the customer did not allow. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { catalogue } from '../../../protocol/errors.ts';
import type { Route } from '../../../server/api/route.ts';
import { aPeopleSide, consent, type PeopleSideRig } from '../../support/people-side.ts';
import { type Call, shownCall } from '../../support/shown-world.ts';

const thief = 'provider:thief';
let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('thief', { name: '株式会社エース' }); // a look-alike
  await rig.admit(rig.aPackage({ provider: 'thief', software: 'heater.thief', web: undefined }));
});
afterAll(() => rig.stop());

const forProviders = () => rig.routes.filter(({ roles }) => roles !== 'anyone' && roles.includes('provider'));
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** Rows that say whose they are, and what they hold, of everybody but the thief. */
async function everythingOfOthers(): Promise<string> {
  const tables = await rig.db.query<{ table: string }>(
    `SELECT table_name AS "table" FROM information_schema.columns
     WHERE table_schema = 'public' AND column_name = 'provider_id' AND table_name NOT IN ('api_tokens') ORDER BY 1`,
  );
  const dumps: string[] = [];
  for (const { table } of tables) {
    const rows = await rig.db.query(
      `SELECT to_jsonb(x) AS row FROM ${table} x WHERE provider_id IS DISTINCT FROM 'thief' ORDER BY to_jsonb(x)::text`,
    );
    dumps.push(`${table} ${JSON.stringify(rows)}`);
  }
  return dumps.join('\n');
}

/** The same call, about things that are nowhere. */
function aboutNothing({ url, body }: Call): Pick<Call, 'url' | 'body'> {
  const gone = (text: string) =>
    text
      .replace(/heater\.p\d+/g, 'heater.nowhere')
      .replace(/(?<=["/])p\d+(?=["/?]|$)/g, 'nowhere')
      .replace(/(?<=["/])(?=[a-z0-9]*[a-z])[a-z0-9]{24,32}(?=["/?]|$)/g, 'z'.repeat(26));
  return { url: gone(url), body: Buffer.isBuffer(body) || body === undefined ? body : JSON.parse(gone(JSON.stringify(body))) };
}

describe('another provider’s things', () => {
  test('do not exist for a provider: every call about them is answered as if they were nowhere, and changes nothing', async () => {
    const wrong: unknown[] = [];
    let asked = 0;
    for (const route of forProviders()) {
      const call = await shownCall(rig, route);
      const [, victim = ''] = /(p\d+)/.exec(JSON.stringify([call.url, Buffer.isBuffer(call.body) ? '' : call.body, call.who])) ?? [];
      const before = await everythingOfOthers();
      const reply = await rig.ask(thief, call.method, call.url, call.body);
      asked += 1;
      if ((await everythingOfOthers()) !== before) wrong.push([nameOf(route), 'changed something']);
      const told = JSON.stringify(reply.body);
      if (reply.status < 300) {
        const names = victim === '' ? [] : [`"${victim}"`, `heater.${victim}`, `provider:${victim}`];
        if (names.some((name) => told.includes(name))) wrong.push([nameOf(route), told.slice(0, 300)]);
        continue;
      }
      if (call.url.includes(victim) || JSON.stringify(call.body ?? {}).includes(victim) || /[a-z0-9]{24,}/.test(call.url)) {
        const nowhere = aboutNothing(call);
        const other = await rig.ask(thief, call.method, nowhere.url, nowhere.body);
        if (!Buffer.isBuffer(call.body) && (other.status !== reply.status || other.body.code !== reply.body.code))
          wrong.push([nameOf(route), [reply.status, reply.body.code], 'and of nothing', [other.status, other.body.code]]);
      }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(25);
  }, 120_000);

  test('stay another’s: its software id cannot be squatted, nor published under the thief’s own certificate', async () => {
    await rig.aProvider('victim');
    await rig.admit(rig.aPackage({ provider: 'victim', software: 'lamp.victim', web: undefined }));
    const before = await everythingOfOthers();
    const stolenName = await rig.upload(
      rig.aPackage({ provider: 'thief', software: 'lamp.victim', version: '9.0.0', web: undefined }),
      thief,
    );
    expect([403, 409, 422]).toContain(stolenName.status);
    expect(stolenName.body.number).toBe('E714');
    const stolenBytes = await rig.upload(
      rig.aPackage({ provider: 'victim', software: 'lamp.victim', version: '9.0.0', web: undefined }),
      thief,
    );
    expect(stolenBytes).toMatchObject({ status: 403, body: { number: 'E952' } });
    for (const [url, body] of [
      ['/releases/halt', { software: 'lamp.victim', version: '1.0.0', reason: 'x' }],
      ['/software/lamp.victim/withdraw', { reason: 'x' }],
      ['/releases/deploy', { software: 'lamp.victim', version: '1.0.0' }],
    ] as const)
      expect([url, (await rig.ask(thief, 'POST', url, body)).status]).toEqual([url, 404]);
    expect(await everythingOfOthers()).toBe(before);
  });
});

describe('what a provider learns about a customer that agreed to delivery alone', () => {
  /** Numbers and codes of DOMAIN §10 that are about a customer; E100 and E112 are not. */
  const secrets = Object.entries(catalogue)
    .filter(([, { number }]) => /^E1(0[1-9]|1[013])$/.test(number))
    .flatMap(([code, { number }]) => [`"${code}"`, `"${number}"`]);
  const leaksIn = (value: unknown) => secrets.filter((secret) => JSON.stringify(value).includes(secret));
  const t14 = { line: 'NEXT_OTHER', denwa: 'STANDARD', bflets: true, typeChanged: 'applied' };
  const order = (customerId: string, scopes: string[]) =>
    rig.ask(thief, 'POST', '/targets', {
      software: 'heater.thief',
      customerId,
      consent: { ...consent, reference: `R-${customerId}`, scopes },
    });
  const looks = async (target: unknown) => [
    (await rig.ask(thief, 'GET', `/targets/${target}`)).body,
    ((await rig.ask(thief, 'GET', '/targets?software=heater.thief')).body.items as { target: string }[]).find(
      (one) => one.target === target,
    ),
  ];

  test('is E100 and nothing else, wherever a target’s reasons are shown', async () => {
    const { customerId, site } = await rig.aCustomer(t14);
    const ordered = await order(customerId, ['delivery']);
    expect(ordered.body).toMatchObject({ state: 'HOLD', reasons: [{ code: 'ELIG_NOT_MET', detail: {} }] });
    const { target } = ordered.body;
    const held = await looks(target);
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { typeChanged: 'completed' } });
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { line: 'CROSS' } });
    const suspended = await looks(target);
    expect(suspended[0]).toMatchObject({ codes: ['ELIG_NOT_MET'] });
    expect([ordered.body, held, suspended].map(leaksIn)).toEqual([[], [], []]);
    const operator = (await rig.ask('operator', 'GET', `/targets/${target}`)).body;
    expect(leaksIn(operator)).toEqual(expect.arrayContaining(['"ELIG_TYPE_CHANGE"', '"ELIG_LINE"']));
  });

  test('is every reason, once the customer agreed to that', async () => {
    const { customerId } = await rig.aCustomer(t14);
    const { body } = await order(customerId, ['delivery', 'reasonsToProvider']);
    expect(body.reasons).toMatchObject([{ code: 'ELIG_TYPE_CHANGE' }]);
    expect((await rig.ask(thief, 'GET', `/targets/${body.target}`)).body.codes).toEqual(['ELIG_TYPE_CHANGE']);
  });

  test('is no more than before when the customer takes it back', async () => {
    const { customerId } = await rig.aCustomer(t14);
    const { target } = (await order(customerId, ['delivery', 'reasonsToProvider'])).body;
    const found = (await rig.ask('operator', 'POST', '/consents/search', { customerId, why: 'x' })).body;
    const [{ consent: id } = { consent: 'none' }] = found.items as { consent: string }[];
    const taken = await rig.ask('operator', 'POST', `/consents/${id}/withdraw`, {
      scopes: ['reasonsToProvider'],
      withdrawnBy: 'x',
      withdrawnHow: 'x',
    });
    expect(taken.status).toBe(200);
    const [shown, listed] = await looks(target);
    expect([shown, listed]).toMatchObject([{ codes: ['ELIG_NOT_MET'] }, { codes: ['ELIG_NOT_MET'] }]);
    expect(leaksIn([shown, listed])).toEqual([]);
  });
});

describe('an お客さまID', () => {
  test('has no place in any path or query', () => {
    for (const { path, params, query } of rig.routes) {
      const names = [path, ...Object.keys(shapeOf(params)), ...Object.keys(shapeOf(query))].join(' ');
      expect(names).not.toMatch(/customer-?_?id/i);
    }
  });

  test('is in no line of the log and no row of the audit, whatever was done with it', async () => {
    const { customerId } = await rig.aCustomer();
    const who = ['operator', thief];
    for (const one of who)
      for (const route of rig.routes.filter(({ method }) => method === 'POST'))
        await rig.ask(one, 'POST', route.path.replace(/:\w+/g, customerId), {
          customerId,
          at: { customerId },
          why: 'x',
          software: 'heater.thief',
          consent,
        });
    for (const route of rig.routes.filter(({ method }) => method === 'GET'))
      await rig.ask('operator', 'GET', `${route.path.replace(/:\w+/g, customerId)}?after=${customerId}&software=${customerId}`);
    expect(JSON.stringify(rig.lines)).not.toContain(customerId);
    const rows = await rig.db.query<{ text: string }>('SELECT to_jsonb(a)::text AS text FROM audit a');
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter(({ text }) => text.includes(customerId))).toEqual([]);
  });
});

const shapeOf = (schema: Route['params']): Record<string, unknown> =>
  (schema as { shape?: Record<string, unknown> } | undefined)?.shape ?? {};

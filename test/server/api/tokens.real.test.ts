import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider();
});
afterAll(() => rig.stop());
beforeEach(() => {
  rig.clock.offsetMs = 0;
});

type Issued = { id: string; token: string; expires: string; oldExpires?: string };
const issue = async (body: object): Promise<Issued> =>
  (await rig.ask('operator', 'POST', '/tokens', { label: 'x', ...body })).body as Issued;
const call = async (token: string, url: string, method: 'GET' | 'POST' = 'GET', body?: object) => {
  const headers = { authorization: `Bearer ${token}` };
  const reply = await rig.app.inject({ method, url: `/api/v1${url}`, headers, ...(body === undefined ? {} : { payload: body }) });
  return { status: reply.statusCode, body: reply.json() as Record<string, unknown> };
};
const isGood = async ({ token }: { token: string }) => (await call(token, '/whoami')).status === 200;
const replace = async ({ token }: { token: string }, body: object = {}) =>
  (await call(token, '/tokens/replace', 'POST', body)).body as Issued;
const listed = async (id: string) =>
  ((await rig.ask('operator', 'GET', '/tokens?limit=1000')).body.items as Record<string, string | null>[]).find((one) => one.id === id);

describe('a token', () => {
  test('ends after 90 days unless somebody says otherwise, and never lives longer than a year', async () => {
    const usual = await issue({ role: 'viewer' });
    expect(Math.round((Date.parse(usual.expires) - rig.clock.nowMs()) / dayMs)).toBe(90);
    expect((await rig.ask('operator', 'POST', '/tokens', { role: 'viewer', label: 'x', days: 366 })).status).toBe(400);
    rig.clock.offsetMs = 90 * dayMs + 1_000;
    expect(await isGood(usual)).toBe(false);
  });

  test('says whom it speaks for, and until when', async () => {
    const { id, token, expires } = await issue({ role: 'provider', provider: 'acme', label: '配信担当' });
    expect((await call(token, '/whoami')).body).toEqual({ name: '配信担当', role: 'provider', provider: 'acme', token: id, expires });
  });

  test('ends at the very next request when it is revoked', async () => {
    const made = await issue({ role: 'viewer' });
    expect(await isGood(made)).toBe(true);
    await rig.ask('operator', 'POST', `/tokens/${made.id}/revoke`);
    expect(await isGood(made)).toBe(false);
  });

  test('is never stored, listed, logged or audited: only its hash is kept', async () => {
    const made = await issue({ role: 'viewer' });
    const next = await replace(made);
    const everything = await rig.db.query<{ text: string }>(
      'SELECT to_jsonb(t)::text AS text FROM api_tokens t UNION ALL SELECT to_jsonb(a)::text FROM audit a UNION ALL SELECT answer FROM request_keys',
    );
    const texts = JSON.stringify([everything, rig.lines, (await rig.ask('operator', 'GET', '/tokens?limit=1000')).body]);
    for (const { token } of [made, next]) expect(texts.includes(token.replace('tsugite_', ''))).toBe(false);
  });

  test('tells when it was last used, to the hour: not every request is a write', async () => {
    const made = await issue({ role: 'viewer' });
    expect((await listed(made.id))?.lastUsedAt).toBeNull();
    await isGood(made);
    const first = (await listed(made.id))?.lastUsedAt;
    expect(Math.abs(Date.parse(String(first)) - rig.clock.nowMs())).toBeLessThan(60_000);
    rig.clock.offsetMs = hourMs - 120_000;
    await isGood(made);
    expect((await listed(made.id))?.lastUsedAt).toBe(first);
    rig.clock.offsetMs = hourMs + 1_000;
    await isGood(made);
    expect(Date.parse(String((await listed(made.id))?.lastUsedAt)) - Date.parse(String(first))).toBeGreaterThan(hourMs - 60_000);
  });
});

describe('a token that its holder replaces', () => {
  test('is good for ten minutes more; the new one has its role, its provider and its name', async () => {
    const old = await issue({ role: 'provider', provider: 'acme', label: '配信担当' });
    const next = await replace(old);
    expect((await call(next.token, '/whoami')).body).toMatchObject({
      name: '配信担当',
      role: 'provider',
      provider: 'acme',
      token: next.id,
    });
    expect(await listed(next.id)).toMatchObject({ replaces: old.id, createdBy: old.id });
    expect(await isGood(old)).toBe(true);
    rig.clock.offsetMs = 10 * 60_000 + 1_000;
    expect([await isGood(old), await isGood(next)]).toEqual([false, true]);
  });

  test('ends at once when nobody needs it any more', async () => {
    const old = await issue({ role: 'viewer' });
    const next = await replace(old, { overlapMinutes: 0 });
    expect([await isGood(old), await isGood(next)]).toEqual([false, true]);
  });

  test('may be asked again when the answer was lost: the one that nobody saw is void', async () => {
    const old = await issue({ role: 'viewer' });
    const lost = await replace(old);
    const seen = await replace(old);
    expect([await isGood(lost), await isGood(seen)]).toEqual([false, true]);
    const third = await replace(old); // the one in use stays
    expect([await isGood(seen), await isGood(third)]).toEqual([true, true]);
  });

  test('ends with the old one when that is revoked: a thief would have replaced it first', async () => {
    const stolen = await issue({ role: 'viewer' });
    const second = await replace(stolen);
    const third = await replace(second);
    expect(await isGood(third)).toBe(true);
    await rig.ask('operator', 'POST', `/tokens/${stolen.id}/revoke`);
    expect([await isGood(stolen), await isGood(second), await isGood(third)]).toEqual([false, false, false]);
  });

  test('makes no second person of its holder', async () => {
    const alice = await issue({ role: 'operator', label: 'alice' });
    const again = await replace(alice);
    await rig.db.query(
      `INSERT INTO pending_changes (id, kind, subject, detail, targets, most, proposed_by, proposers, created_at, expires_at)
       VALUES ('changechangechange01', 'cancel', 'none', '{}', ARRAY['targettargettarget01'], 10, 'alice', ARRAY[$1], now(), now() + interval '3 days')`,
      [alice.id],
    );
    expect((await call(again.token, '/changes/changechangechange01/approve', 'POST', {})).body.number).toBe('E720');
    expect((await call((await replace(again)).token, '/changes/changechangechange01/approve', 'POST', {})).body.number).toBe('E720');
  });
});

test('many requests wait: per token and per address, with the seconds to wait', async () => {
  const limited = await aPeopleSide({ limits: { perAddress: 30, perToken: 5, wrongTokens: 4 } });
  try {
    const { token } = await limited.tokens.create({ role: 'viewer', label: 'busy' });
    const ask = async (bearer: string, remoteAddress = '192.0.2.1') => {
      const headers = { authorization: `Bearer ${bearer}` };
      const reply = await limited.app.inject({ method: 'GET', url: '/api/v1/whoami', headers, remoteAddress });
      return [reply.statusCode, reply.json().context?.kind, reply.headers['retry-after']];
    };
    for (let index = 0; index < 5; index += 1) expect((await ask(token))[0]).toBe(200);
    expect(await ask(token)).toEqual([429, 'token', '12']);
    limited.clock.offsetMs += 13_000;
    expect((await ask(token))[0]).toBe(200);

    for (let index = 0; index < 4; index += 1) expect((await ask(`tsugite_${'a'.repeat(25)}${index}`, '192.0.2.2'))[0]).toBe(401);
    expect(await ask(`tsugite_${'b'.repeat(26)}`, '192.0.2.2')).toEqual([429, 'wrong-tokens', '15']);

    for (let index = 0; index < 40; index += 1) await limited.app.inject({ method: 'GET', url: '/nowhere', remoteAddress: '192.0.2.3' });
    const refused = await limited.app.inject({ method: 'GET', url: '/api/v1/health', remoteAddress: '192.0.2.3' });
    expect([refused.statusCode, refused.json().number, refused.headers['retry-after']]).toEqual([429, 'E956', '2']);
    expect((await limited.app.inject({ method: 'GET', url: '/api/v1/health', remoteAddress: '192.0.2.4' })).statusCode).toBe(200);
  } finally {
    await limited.stop();
  }
});

test('an address that a caller names for itself counts only when a proxy of ours says so', async () => {
  const limited = await aPeopleSide({ limits: { perAddress: 3, perToken: 100, wrongTokens: 100 }, trustedProxies: ['192.0.2.0/24'] });
  try {
    const ask = async (remoteAddress: string, forwarded: string) => {
      const headers = { 'x-forwarded-for': forwarded };
      return (await limited.app.inject({ method: 'GET', url: '/api/v1/health', headers, remoteAddress })).statusCode;
    };
    // A stranger that calls itself somebody else each time is one caller; our proxy speaks for many.
    const stranger = [1, 2, 3, 4].map((index) => ask('198.51.100.1', `203.0.113.${index}`));
    expect(await Promise.all(stranger)).toEqual([200, 200, 200, 429]);
    const throughProxy = [1, 2, 3, 4].map((index) => ask('192.0.2.9', `203.0.113.${index}`));
    expect(await Promise.all(throughProxy)).toEqual([200, 200, 200, 200]);
    // What the stranger wrote before our proxy added its address is not believed.
    const forged = [1, 2, 3, 4].map((index) => ask('192.0.2.9', `10.0.0.${index}, 198.51.100.7`));
    expect(await Promise.all(forged)).toEqual([200, 200, 200, 429]);
  } finally {
    await limited.stop();
  }
});

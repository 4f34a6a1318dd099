/** Hostile values in every field of every route: a refusal with our number, or a text that is kept as it came; never a fault of ours. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { codeOfNumber } from '../../../protocol/errors.ts';
import { apiPrefix } from '../../../server/api/app.ts';
import type { Route } from '../../../server/api/route.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { type Call, shownCall } from '../../support/shown-world.ts';

let rig: PeopleSideRig;
let origin: string;
beforeAll(async () => {
  rig = await aPeopleSide();
  origin = await rig.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => rig.stop());

type Path = readonly string[];
type JsonSchema = { properties?: Record<string, JsonSchema>; items?: JsonSchema; anyOf?: JsonSchema[]; oneOf?: JsonSchema[] };

/** Every field of a schema, also of what is inside; of an array its first item. */
function fieldsOf(schema: z.ZodMiniType | undefined): Path[] {
  if (schema === undefined) return [];
  const paths = new Map<string, Path>();
  const walk = (at: Path, { properties = {}, items, anyOf = [], oneOf = [] }: JsonSchema): void => {
    if (at.length > 0) paths.set(at.join('.'), at);
    for (const [name, field] of Object.entries(properties)) walk([...at, name], field);
    if (items !== undefined) walk([...at, '0'], items);
    for (const one of [...anyOf, ...oneOf]) walk(at, one);
  };
  walk([], z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema);
  return [...paths.values()];
}

function withField(body: unknown, path: Path, value: unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) return value;
  if (Array.isArray(body)) return [withField(body[0], rest, value)];
  const from = (body ?? {}) as Record<string, unknown>;
  // Not an assignment: `__proto__` is a name like any other here.
  return Object.fromEntries([...Object.entries(from).filter(([key]) => key !== name), [name, withField(from[name], rest, value)]]);
}

const deep = JSON.parse(`${'['.repeat(500)}1${']'.repeat(500)}`);
/** No PostgreSQL text, or no text at all. */
const notCharacters = ['\0', 'a\0b', 'a\ud800', '\udfff'];
const texts = [
  '',
  ' ',
  "'; DROP TABLE providers; --",
  "1' OR '1'='1",
  '$1',
  '../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  'a\r\nSet-Cookie: x=1\r\n\r\n<html>',
  'a\n{"level":"error","event":"server.stopping"}',
  '\u202e\u2066evil',
  'ａｃｍｅ',
  'İıſK',
  'e\u0301\u200b\ufeff',
  '<script>alert(1)</script>',
  `\${jndi:ldap://127.0.0.1/x}`,
  '{{constructor.constructor("return process")()}}',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '-0',
  '9'.repeat(400),
  '0x10',
  '2026-13-45',
  '2026-02-30T25:61:61Z',
  '+999999-01-01',
  'x'.repeat(70_000),
  '😀'.repeat(3_000),
];
const values = [null, true, -1, 0, 1.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER + 2, [], {}, [[]], deep];
const objects = ['{"__proto__":{"role":"operator"}}', '{"constructor":{"prototype":{"role":"operator"}}}'].map((text) => JSON.parse(text));

/** @returns what is wrong with how the server took it */
async function faultOf(call: Call, raw?: string): Promise<string | undefined> {
  const response = await rig.app.inject({
    method: call.method,
    url: encodeURI(`${apiPrefix}${call.url}`).replaceAll('%25', '%'),
    headers: {
      authorization: `Bearer ${await rig.bearerOf(call.who)}`,
      ...(raw === undefined && call.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(raw === undefined && call.body === undefined ? {} : { payload: raw ?? JSON.stringify(call.body) }),
  });
  const { statusCode, body } = response;
  if (statusCode >= 500) return `${statusCode} ${body.slice(0, 200)}`;
  if (statusCode < 400) return undefined;
  if (!/^application\/problem\+json/.test(String(response.headers['content-type']))) return `${statusCode} is no problem document: ${body}`;
  const { number, status } = JSON.parse(body) as { number: string; status: number };
  return codeOfNumber(number) === undefined || status !== statusCode ? `${statusCode} says ${number} ${status}` : undefined;
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const withBody = () => rig.routes.filter(({ body, isUpload }) => body !== undefined && isUpload !== true);

describe('a hostile value', () => {
  test('that PostgreSQL cannot keep is 400 and names its field, in every text of every body', async () => {
    const wrong: unknown[] = [];
    for (const route of withBody()) {
      const call = await shownCall(rig, route);
      for (const path of fieldsOf(route.body))
        for (const value of notCharacters) {
          const { status, body } = await rig.ask(call.who, call.method, call.url, withField(call.body, path, value) as object);
          const named = ((body.context as { faults?: { field: string }[] })?.faults ?? []).map(({ field }) => field);
          if (status !== 400 || !named.some((field) => path.join('.').startsWith(field))) wrong.push([nameOf(route), path, status, named]);
        }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  test('in any field of any body is refused or kept, and breaks nothing', async () => {
    const faults: unknown[] = [];
    let tried = 0;
    for (const route of withBody()) {
      const call = await shownCall(rig, route);
      for (const path of fieldsOf(route.body))
        for (const value of [...notCharacters, ...texts, ...values, ...objects]) {
          tried += 1;
          const fault = await faultOf({ ...call, body: withField(call.body, path, value) as object });
          if (fault !== undefined) faults.push([nameOf(route), path.join('.'), JSON.stringify(value).slice(0, 60), fault]);
        }
    }
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThan(3_000);
  }, 300_000);

  test('in any parameter of any path or query is refused or not found', async () => {
    const faults: unknown[] = [];
    let tried = 0;
    for (const route of rig.routes) {
      const call: Call = { who: 'operator', method: route.method, url: route.path, body: route.method === 'POST' ? {} : undefined };
      const query = [...fieldsOf(route.query).map(([name = '']) => name), ...(route.list === undefined ? [] : ['limit', 'after'])];
      for (const value of [...texts, ...notCharacters.slice(0, 2)].map((text) => encodeURIComponent(text.slice(0, 2_000)))) {
        const urls = [
          ...(route.path.includes(':') ? [route.path.replace(/:\w+/g, value === '' ? '%20' : value)] : []),
          ...query.map((name) => `${route.path.replace(/:\w+/g, 'something-0001')}?${name}=${value}&${name}=${value}`),
          ...query.map((name) => `${route.path.replace(/:\w+/g, 'something-0001')}?${name}=${value}`),
        ];
        for (const url of urls) {
          tried += 1;
          const fault = await faultOf({ ...call, url });
          if (fault !== undefined) faults.push([nameOf(route), url.slice(0, 120), fault]);
        }
      }
    }
    expect(faults).toEqual([]);
    expect(tried).toBeGreaterThan(2_000);
  }, 300_000);

  test('in place of a whole body is refused', async () => {
    const raws = [
      '{',
      'null',
      '[]',
      '"text"',
      '1',
      `${'['.repeat(100_000)}`,
      `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`,
      '{"a":1}{"b":2}',
      '\ufeff{}',
    ];
    const faults: unknown[] = [];
    for (const route of withBody().slice(0, 12)) {
      const call: Call = { who: 'operator', method: 'POST', url: route.path.replace(/:\w+/g, 'something-0001'), body: {} };
      for (const raw of [...raws, '{"__proto__":{"role":"operator"}}', '{"constructor":{"prototype":{"role":"operator"}}}']) {
        const fault = await faultOf(call, raw);
        if (fault !== undefined) faults.push([nameOf(route), raw.slice(0, 40), fault]);
      }
    }
    expect(faults).toEqual([]);
  });

  test('left everything as it was: every table is there, and the audit log is whole', async () => {
    const tables = await rig.db.query<{ count: number }>(
      "SELECT count(*) AS count FROM information_schema.tables WHERE table_schema = 'public'",
    );
    expect(tables[0]?.count).toBeGreaterThan(20);
    expect(({} as { role?: string }).role).toBeUndefined();
    expect((await rig.ask('operator', 'GET', '/audit/verify')).body).toMatchObject({ isWhole: true });
    expect(rig.lines.filter(({ event }) => event === 'api.fault')).toEqual([]);
  });
});

test('what a text says is only text: it comes back as it was written', async () => {
  const name = `'; DROP TABLE software; -- <b>\${x}</b> 株式会社\u202eエース 😀`;
  await rig.aProvider('quoted', { name, contact: "line 1\nline 2' OR 1=1" });
  const { body } = await rig.ask('operator', 'GET', '/providers?limit=1&after=quotec');
  expect((body.items as { name: string }[])[0]).toMatchObject({ provider: 'quoted', name, contact: "line 1\nline 2' OR 1=1" });
});

describe('what somebody types into an address or a header', () => {
  /** One request as bytes, on a connection of its own. */
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (bytes) => {
        answer += bytes.toString('latin1');
      });
      socket.on('close', () => resolve(answer));
      socket.on('error', reject);
    });

  test('does not get into an answer’s headers or the log', async () => {
    const before = rig.lines.length;
    for (const url of ['/api/v1/%0d%0aSet-Cookie:%20x=1', '/api/v1/gateways/a%0d%0aX-Evil:1', '/api/v1/targets?software=%0aCAF00000001']) {
      const answer = await raw(
        `GET ${url} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await rig.bearerOf('operator')}\r\nconnection: close\r\n\r\n`,
      );
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      expect(answer.split('\r\n\r\n')[0]).not.toMatch(/set-cookie|x-evil/i);
    }
    const lines = JSON.stringify(rig.lines.slice(before));
    expect(lines).not.toMatch(/CAF00000001|Evil|Set-Cookie/);
    expect(rig.lines.length).toBeGreaterThan(before);
  });

  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a header that is too long', `GET /api/v1/health HTTP/1.1\r\nhost: x\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`],
    ['two lengths', 'POST /api/v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
    ['a length and chunks', 'POST /api/v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['an address that cannot be decoded', 'GET /api/v1/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'],
  ])('%s is refused with our number', async (_, text) => {
    const answer = await raw(text);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain('"number":"E9');
  });
});

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeSettingsDoor } from '../../../agent/adapters/settings-door.ts';
import { makeSettingsPage } from '../../../agent/adapters/settings-page.ts';
import { makePasswordStore, type PasswordStore } from '../../../agent/adapters/settings-password.ts';
import type { House, HouseDoor } from '../../../agent/ports/house.ts';
import type { LogEvent } from '../../../agent/ports.ts';
import type { Ask } from '../../../agent/rules/ask.ts';
import { defaultPageSettings } from '../../../agent/rules/page/settings.ts';
import * as settingsRules from '../../../agent/rules/settings/index.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { gatewayId } from '../../../protocol/fields.ts';

const host = `127.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}.11`;
const port = 8887;
const origin = `http://${host}:${port}`;
const password = 'k7#mzP2q';

let asks: Ask[];
let events: LogEvent[];
let nowMs: number;
let kept: string | undefined;
let door: HouseDoor;
let refusal: TsugiteError | undefined;
let matching = 0;
let gate = Promise.resolve();

const passwords: PasswordStore = {
  state: () => (kept === undefined ? 'unset' : kept === 'damaged' ? 'unreadable' : 'set'),
  async set(next) {
    kept = next;
  },
  async matches(given) {
    matching += 1;
    await gate;
    matching -= 1;
    return given === kept;
  },
};
const house: House = {
  view: () => ({ gateway: 'gw-0001', model: 'PR-500KI', pending: [], requests: [], confirmations: [] }),
  async answer(ask, by) {
    expect(by).toBe('page');
    if (refusal !== undefined) throw refusal;
    asks.push(ask);
    return { kind: ask.kind, isOnline: true, updates: [] };
  },
};

beforeEach(async () => {
  asks = [];
  events = [];
  nowMs = 0;
  kept = undefined;
  refusal = undefined;
  const settings = { ...defaultPageSettings, listen: [{ host, port: 8888 }], settingsPort: port };
  const page = makeSettingsPage({
    settings,
    rules: settingsRules,
    passwords,
    names: ['gw-0001'],
    log: { write: (event) => void events.push(event) },
    monotonicMs: () => nowMs,
  });
  door = makeSettingsDoor({ settings, loadPage: async () => page, log: { write: () => {} } });
  await door.start(house);
});
afterEach(() => door.stop());

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };
function ask(method: string, target: string, headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path: target, method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
const tokenIn = (body: string): string => /name="token" value="([^"]+)"/.exec(body)?.[1] ?? '';
const cookieOf = ({ headers }: Answer): string => headers['set-cookie']?.[0]?.split(';')[0] ?? '';

/** As a browser sends a form of the page that it shows. */
async function send(action: string, fields: Record<string, string>, cookie = '', more: Record<string, string> = {}): Promise<Answer> {
  const page = await ask('GET', '/', { cookie });
  const body = new URLSearchParams({ token: tokenIn(page.body), ...fields }).toString();
  return ask('POST', action, { cookie, origin, 'content-type': 'application/x-www-form-urlencoded', ...more }, body);
}
async function loggedIn(): Promise<string> {
  kept = password;
  return cookieOf(await send('/login', { password }));
}

describe('the first use', () => {
  test('asks for a password, and does nothing else before there is one', async () => {
    const { body } = await ask('GET', '/');
    expect(body).toContain('機器設定用パスワードの初期設定');
    expect(body).toContain('8文字以上64文字以内');
    expect(body).not.toContain('再同期');
    expect((await send('/ask', { kind: 'resync' })).status).toBe(403);
    expect(asks).toEqual([]);
  });

  test('sets it once: who comes second cannot', async () => {
    const answer = await send('/setup', { password, again: password });
    expect(answer).toMatchObject({ status: 303, headers: { location: '/?said=set' } });
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^tsugite-settings-8887=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(kept).toBe(password);
    expect((await ask('GET', '/', { cookie: cookieOf(answer) })).body).toContain('再同期');
    expect((await send('/setup', { password: 'other-secret', again: 'other-secret' })).status).toBe(409);
    expect(kept).toBe(password);
  });

  test.each([
    { password: 'short', again: 'short', says: '短すぎます' },
    { password: '12345678', again: '12345678', says: '推測されやすい' },
    { password, again: 'else-else', says: '一致していません' },
  ])('refuses $password / $again', async ({ says, ...fields }) => {
    const { status, body } = await send('/setup', fields);
    expect({ status, isSaid: body.includes(says), kept }).toEqual({ status: 400, isSaid: true, kept: undefined });
  });

  test('what is kept and cannot be read is not the first use: nobody gets in', async () => {
    kept = 'damaged';
    expect((await ask('GET', '/')).body).toContain('パスワードを確認できる状態にありません');
    expect((await send('/setup', { password, again: password })).status).toBe(403);
    expect(kept).toBe('damaged');
  });
});

describe('logging in', () => {
  test('① nothing changes without it', async () => {
    kept = password;
    for (const action of ['/ask', '/password', '/logout']) {
      const { status } = await send(action, { kind: 'resync', current: password, password: 'new-secret', again: 'new-secret' });
      expect(status).toBe(403);
    }
    expect({ asks, kept }).toEqual({ asks: [], kept: password });
  });

  test('then each form reaches the agent', async () => {
    const cookie = await loggedIn();
    const answer = await send('/ask', { kind: 'confirm', item: 'office-equipment', value: 'no' }, cookie);
    expect(answer).toMatchObject({ status: 303, headers: { location: '/?said=confirm' } });
    await send('/ask?lang=en', { kind: 'postpone', software: 'demo.ipv4' }, cookie);
    expect(asks).toEqual([
      { kind: 'confirm', item: 'office-equipment', value: 'no' },
      { kind: 'postpone', software: 'demo.ipv4' },
    ]);
    expect(events.map(({ event }) => event)).toEqual(['settings.login']);
  });

  test('a form without the token of this session changes nothing', async () => {
    const cookie = await loggedIn();
    for (const token of ['', 'f'.repeat(64), tokenIn((await ask('GET', '/')).body)])
      expect((await send('/ask', { kind: 'resync', token }, cookie)).status).toBe(403);
    expect(asks).toEqual([]);
  });

  test.each([
    { what: 'the page of an app', headers: { origin: `http://${host}:8889` }, status: 403 },
    { what: 'no page', headers: { origin: '' }, status: 403 },
    { what: 'another name', headers: { host: 'evil.example:8887', origin: 'http://evil.example:8887' }, status: 421 },
    { what: 'another kind of body', headers: { 'content-type': 'text/plain' }, status: 403 },
  ])('a form from $what changes nothing', async ({ headers, status }) => {
    const cookie = await loggedIn();
    expect((await send('/ask', { kind: 'resync' }, cookie, headers as Record<string, string>)).status).toBe(status);
    expect(asks).toEqual([]);
  });

  test('what the agent refuses is said in plain words', async () => {
    const cookie = await loggedIn();
    refusal = new TsugiteError('NOTHING_PENDING');
    const { status, body } = await send('/ask', { kind: 'install-now', software: 'demo.ipv4' }, cookie);
    expect(status).toBe(409);
    expect(body).toContain('待機中のインストールや更新はありません。');
    expect(body).not.toContain('E517');
  });

  test('ends by itself after ten minutes without a request, and by logging out', async () => {
    const cookie = await loggedIn();
    nowMs += 9 * 60_000;
    expect((await ask('GET', '/', { cookie })).body).toContain('再同期');
    await send('/logout', {}, cookie);
    expect((await ask('GET', '/', { cookie })).body).not.toContain('再同期');
    const next = cookieOf(await send('/login', { password }));
    nowMs += 10 * 60_000;
    expect((await ask('GET', '/', { cookie: next })).body).not.toContain('再同期');
  });

  test('a sixth wrong try has to wait, and so has the right one', async () => {
    kept = password;
    for (let tries = 0; tries < 5; tries++) expect((await send('/login', { password: 'wrong-one' })).status).toBe(403);
    const { status, body } = await send('/login', { password });
    expect(status).toBe(429);
    expect(body).toContain('30秒後');
    nowMs += 30_000;
    expect((await send('/login', { password })).status).toBe(303);
    expect(events.filter(({ event }) => event === 'settings.login_failed')).toHaveLength(5);
    expect(JSON.stringify(events)).not.toContain('wrong-one');
  });

  test('many tries at the same moment are looked at one by one, and not all of them wait', async () => {
    kept = password;
    let open = () => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const tries = Array.from({ length: 5 }, () => send('/login', { password: 'wrong-one' }));
    // One is told to come again while the others stand in line: by then all have arrived.
    expect((await Promise.race(tries)).status).toBe(503);
    expect(matching).toBe(1);
    open();
    expect((await Promise.all(tries)).map(({ status }) => status).sort()).toEqual([403, 403, 403, 403, 503]);
  });

  test('the password is changed by who knows it, and every other session ends', async () => {
    const cookie = await loggedIn();
    const other = cookieOf(await send('/login', { password }));
    expect((await send('/password', { current: 'wrong-one', password: 'new-secret', again: 'new-secret' }, cookie)).status).toBe(403);
    expect((await send('/password', { current: password, password, again: password }, cookie)).status).toBe(400);
    expect((await send('/password', { current: password, password: 'new-secret', again: 'new-secret' }, cookie)).status).toBe(303);
    expect(kept).toBe('new-secret');
    expect((await ask('GET', '/', { cookie: other })).body).not.toContain('再同期');
  });
});

test('the page can neither be framed, nor run a script, nor be kept', async () => {
  const { headers } = await ask('GET', '/');
  expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store', 'cross-origin-opener-policy': 'same-origin' });
  expect(headers['content-security-policy']).toMatch(
    /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'$/,
  );
  expect((await ask('POST', '/login', { origin, 'content-type': 'application/x-www-form-urlencoded' }, 'x'.repeat(9_000))).status).toBe(
    413,
  );
});

describe('④ what is kept of the password', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-password-'));
  const file = path.join(folder, 'identity', 'settings-password.json');
  const storeOf = (gateway = 'gw-0001') =>
    makePasswordStore(folder, { gateway: gatewayId.parse(gateway), nowUtc: () => '2026-11-22T00:00:00Z' });

  test('survives a restart, is not the password, and only root can read it', async () => {
    expect(storeOf().state()).toBe('unset');
    await storeOf().set(password);
    expect(storeOf().state()).toBe('set');
    expect(await storeOf().matches(password)).toBe(true);
    expect(await storeOf().matches(`${password} `)).toBe(false);
    expect(readFileSync(file, 'utf8')).not.toContain(password);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test('another identity is another household', () => {
    expect(storeOf('gw-0002').state()).toBe('unset');
  });

  test('a torn file falls back on its copy, and two torn ones lock', async () => {
    await storeOf().set('new-secret');
    writeFileSync(file, '{"v":1');
    expect(await storeOf().matches('new-secret')).toBe(true);
    expect(await storeOf().matches(password)).toBe(false);
    writeFileSync(`${file}.previous`, '');
    expect(storeOf().state()).toBe('unreadable');
    rmSync(folder, { recursive: true });
  });
});

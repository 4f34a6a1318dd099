import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeLocalPage } from '../../../agent/adapters/local-page.ts';
import type { LocalPage } from '../../../agent/ports.ts';
import * as pageRules from '../../../agent/rules/page/index.ts';
import { defaultPageSettings, type PageSettings } from '../../../agent/rules/page/settings.ts';
import * as pageView from '../../../agent/rules/page/view.ts';
import { parseStatus } from '../../../protocol/messages/status.ts';
import { aSnapshot, aSoftware } from '../../support/snapshots.ts';
import { until } from '../../support/until.ts';

// A loopback address of this test alone, so that the real port numbers are free on it.
const host = `127.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}.9`;
const shared = 8888;
const own = 8889;

let folder: string;
let app: Server;
let socket: string;
let page: LocalPage;
let handle: (request: IncomingMessage, response: ServerResponse, body: string) => void;
let seen: { method: string; url: string; headers: IncomingHttpHeaders; body: string }[];
let snapshot: ReturnType<typeof aSnapshot>;
const logged: pageView.LoggedChange[] = [];

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-page-'));
  socket = path.join(folder, 'web.sock');
  seen = [];
  handle = (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{"name":"demo"}');
  app = createServer(async (asked, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of asked) pieces.push(piece as Buffer);
    const body = Buffer.concat(pieces).toString();
    seen.push({ method: asked.method ?? '', url: asked.url ?? '', headers: asked.headers, body });
    handle(asked, response, body);
  });
  await new Promise<void>((resolve) => app.listen(socket, resolve));
  snapshot = aSnapshot([aSoftware({ webSocketPath: socket })]);
  page = await aPage();
});
afterEach(async () => {
  await page.stop();
  app.closeAllConnections();
  await new Promise<void>((resolve) => app.close(() => resolve()));
  rmSync(folder, { recursive: true, force: true });
});

async function aPage(more: Partial<PageSettings> = {}): Promise<LocalPage> {
  const made = makeLocalPage({
    dataDir: folder,
    settings: { ...defaultPageSettings, listen: [{ host, port: shared }], ...more },
    rules: pageRules,
    loadView: async () => pageView,
    readPast: () => logged,
  });
  await made.start(() => snapshot);
  return made;
}

type Answer = { status: number; headers: IncomingHttpHeaders; body: string };
function ask(
  target: string,
  {
    port = shared,
    method = 'GET',
    headers = {},
    body = '',
  }: { port?: number; method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host, port, path: target, method, headers, agent: false }, (answer) => {
      const pieces: Buffer[] = [];
      answer.on('data', (piece: Buffer) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces).toString() }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the shared page', () => {
  test('shows the list, with a policy that allows its own style and nothing else', async () => {
    const { status, headers, body } = await ask('/t/');
    expect(status).toBe(200);
    expect(body).toContain('配信済事業者ソフトウェア一覧');
    expect(body).toContain(`href="http://${host}:8889/demo.ipv4/main"`);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
  });

  test('answers HEAD with 200 and no body, as router makers probe it', async () => {
    const { status, body } = await ask('/t/', { method: 'HEAD' });
    expect({ status, body }).toEqual({ status: 200, body: '' });
  });

  test('leads / and /t to /t/', async () => {
    for (const target of ['/', '/t']) expect(await ask(target)).toMatchObject({ status: 302, headers: { location: '/t/' } });
  });

  test('gives status.json by the contract', async () => {
    const { headers, body } = await ask('/status.json');
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(parseStatus(Buffer.from(body)).software[0]).toMatchObject({ software: 'demo.ipv4', state: 'running', page: '/demo.ipv4/main' });
  });

  test.each([
    { what: 'another host', target: '/t/', headers: { host: 'evil.example' }, status: 421 },
    { what: 'an unknown path', target: '/nothing/here', status: 404 },
    { what: 'a disguised ..', target: '/demo.ipv4/%2e%2e/t/', status: 400 },
    { what: 'a form', target: '/t/', method: 'POST', status: 405 },
    { what: 'a bad callback', target: '/demo.ipv4/check?callback=alert(1)', status: 400 },
    { what: 'a service worker', target: '/demo.ipv4/w.js', headers: { 'service-worker': 'script' }, status: 403 },
  ])('refuses $what in one sentence of both languages', async ({ target, status, ...more }) => {
    const answer = await ask(target, more);
    expect(answer.status).toBe(status);
    expect(answer.body.trim().split('\n')).toHaveLength(2);
    expect(seen).toEqual([]);
  });

  test('an oversized head is cut off', async () => {
    await expect(ask('/t/', { headers: { 'x-long': 'x'.repeat(9_000) } }).then(({ status }) => status)).rejects.toThrow();
    expect((await ask('/t/')).status).toBe(200);
  });

  test('E933: a port that is taken is named', async () => {
    await expect(aPage()).rejects.toMatchObject({ code: 'PORT_IN_USE', detail: { address: `${host}:8888` } });
  });
});

describe('an app through the shared page', () => {
  test('data reaches the caller, JSONP included', async () => {
    handle = (_asked, response) => void response.writeHead(200, { 'content-type': 'application/javascript' }).end('hgw({"name":"demo"})');
    const answer = await ask('/demo.ipv4/check?callback=hgw');
    expect(answer).toMatchObject({ status: 200, body: 'hgw({"name":"demo"})', headers: { 'x-content-type-options': 'nosniff' } });
    expect(seen[0]).toMatchObject({ method: 'GET', url: '/demo.ipv4/check?callback=hgw' });
  });

  test("its HTML does not: the browser is sent to the app's own origin", async () => {
    handle = (_asked, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<script>steal()</script>');
    const answer = await ask('/demo.ipv4/main?a=b');
    expect(answer).toMatchObject({ status: 302, body: '', headers: { location: `http://${host}:8889/demo.ipv4/main?a=b` } });
    expect(await ask('/demo.ipv4/main?a=b', { port: own })).toMatchObject({ status: 200, body: '<script>steal()</script>' });
  });

  test('cookies and passwords stay out of it, both ways', async () => {
    handle = (_asked, response) =>
      void response.writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=b', 'service-worker-allowed': '/' }).end('{}');
    const { headers } = await ask('/demo.ipv4/check', {
      headers: { cookie: 'session=1', authorization: 'Basic x', accept: 'application/json', 'x-forwarded-for': '1.2.3.4' },
    });
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers).not.toHaveProperty('service-worker-allowed');
    expect(Object.keys(seen[0]?.headers ?? {}).sort()).toEqual(['accept', 'connection', 'host']);
  });

  test('a socket that is a link elsewhere is not followed', async () => {
    const link = path.join(folder, 'link.sock');
    symlinkSync(socket, link);
    snapshot = aSnapshot([aSoftware({ webSocketPath: link })]);
    expect((await ask('/demo.ipv4/check')).status).toBe(503);
    expect(seen).toEqual([]);
  });

  test.each([
    { what: 'breaks off', answer: (response: ServerResponse) => response.destroy() },
    {
      what: 'redirects elsewhere',
      answer: (response: ServerResponse) => response.writeHead(302, { location: 'http://evil.example/' }).end(),
    },
    {
      what: 'answers with an endless head',
      answer: (response: ServerResponse) => response.writeHead(200, { 'x-long': 'x'.repeat(10_000) }).end(),
    },
    { what: 'is gone', answer: undefined },
  ])('an app that $what is unavailable, and the page lives on', async ({ answer }) => {
    if (answer === undefined) app.close();
    else handle = (_asked, response) => void answer(response);
    expect((await ask('/demo.ipv4/check')).status).toBe(503);
    expect((await ask('/t/')).status).toBe(200);
  });

  test('an endless answer is cut off', async () => {
    handle = (_asked, response) => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(256_000, 'x')));
      };
      response.on('drain', pour);
      pour();
    };
    await expect(ask('/demo.ipv4/check')).rejects.toThrow();
  });

  test('one that never answers cannot use up the page', async () => {
    handle = () => {};
    const waiting = Array.from({ length: 16 }, () => ask('/demo.ipv4/slow').catch(() => 'cut off'));
    await until(() => seen.length === 16, 'all of them at the app');
    expect((await ask('/demo.ipv4/slow')).status).toBe(503);
    expect(seen).toHaveLength(16);
    expect((await ask('/t/')).status).toBe(200);
    app.closeAllConnections();
    await Promise.all(waiting);
    handle = (_asked, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('ok');
    expect((await ask('/demo.ipv4/check')).body).toBe('ok');
  });
});

describe("an app's own origin", () => {
  test('takes its forms, and leads / to its first page', async () => {
    handle = (_asked, response, body) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(body);
    expect(await ask('/', { port: own })).toMatchObject({ status: 302, headers: { location: '/demo.ipv4/main' } });
    const posted = await ask('/demo.ipv4/form', {
      port: own,
      method: 'POST',
      body: 'a=1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(posted.body).toBe('a=1');
    expect((await ask('/t/', { port: own })).status).toBe(404);
    expect((await ask('/demo.ipv4/main', { port: own + 1 })).status).toBe(404);
  });

  test('refuses a form above 256 KiB', async () => {
    const answer = await ask('/demo.ipv4/form', { port: own, method: 'POST', body: 'x'.repeat(300_000) }).catch(() => ({ status: 413 }));
    expect(answer.status).toBe(413);
  });

  test('keeps its port over a restart', async () => {
    await page.stop();
    snapshot = aSnapshot([aSoftware({ webSocketPath: socket })]);
    expect(JSON.parse(readFileSync(path.join(folder, 'page-ports.json'), 'utf8'))).toMatchObject({ v: 1, ports: { 'demo.ipv4': 8889 } });
    page = await aPage();
    expect((await ask('/demo.ipv4/check', { port: own })).status).toBe(200);
  });

  test('is named by its outer port where something forwards the page', async () => {
    await page.stop();
    page = await aPage({ outerPorts: { '8888': 40_000, '8889': 40_001 } });
    expect((await ask('/t/', { headers: { host: `${host}:40000` } })).body).toContain(`href="http://${host}:40001/demo.ipv4/main"`);
    handle = (_asked, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
    expect((await ask('/demo.ipv4/main', { headers: { host: `${host}:40000` } })).headers.location).toBe(
      `http://${host}:40001/demo.ipv4/main`,
    );
  });
});

test('stopping it ends every connection and frees every port', async () => {
  const open = connect(shared, host);
  await new Promise((resolve) => open.once('connect', resolve));
  const closed = new Promise((resolve) => open.once('close', resolve));
  await page.stop();
  await closed;
  const taken = createTcpServer();
  await new Promise<void>((resolve, reject) => taken.once('error', reject).listen(shared, host, () => resolve()));
  await new Promise((resolve) => taken.close(resolve));
});

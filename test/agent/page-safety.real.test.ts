/**
 * A hostile app's page in a real browser. It has its own origin, and tries to reach everything else that the gateway shows in the home: the list,
 * another app, the settings. For a browser all of them are one site and share one cookie jar, since only the port differs.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeLocalPage } from '../../agent/adapters/local-page.ts';
import { makeSettingsDoor } from '../../agent/adapters/settings-door.ts';
import { makeSettingsPage } from '../../agent/adapters/settings-page.ts';
import type { HouseDoor } from '../../agent/ports/house.ts';
import type { LocalPage } from '../../agent/ports.ts';
import type { Ask } from '../../agent/rules/ask.ts';
import * as pageRules from '../../agent/rules/page/index.ts';
import { defaultPageSettings } from '../../agent/rules/page/settings.ts';
import * as pageView from '../../agent/rules/page/view.ts';
import * as settingsRules from '../../agent/rules/settings/index.ts';
import { randomId, softwareId } from '../../protocol/fields.ts';
import { aManifest, aSnapshot, aSoftware } from '../support/snapshots.ts';

// A loopback address of this test alone, so that the real port numbers are free on it. Browsers trust it enough to offer service workers.
const host = `127.${(process.pid >> 8) & 0xff}.${process.pid & 0xff}.13`;
const list = `http://${host}:8888`;
const settings = `http://${host}:8887`;
const password = 'k7#mzP2q';

let folder: string;
let apps: Server[];
let seen: { app: string; method: string; url: string; cookie: string | undefined }[] = [];
let page: LocalPage;
let door: HouseDoor;
let browser: Browser;
let context: BrowserContext;
let asks: Ask[];
let kept: string | undefined;
/** Of the hostile app: 8889, of its neighbour: 8890. */
const hostile = `http://${host}:8889`;
const neighbour = `http://${host}:8890`;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-safety-'));
  apps = await Promise.all(
    ['evil.app', 'good.app'].map(async (name) => {
      const server = createServer((request, response) => {
        const { method = '', url = '', headers } = request;
        seen.push({ app: name, method, url, cookie: headers.cookie });
        const isScript = url.endsWith('.js') || url.includes('callback=');
        const body = url.endsWith('worker.js')
          ? '// a worker that would start'
          : isScript
            ? `stolen({"secret":"of ${name}"})`
            : `<!doctype html><title>${name}</title><p id="secret">secret of ${name}</p>`;
        response
          .writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html', 'set-cookie': `${name}=1; Path=/` })
          .end(body);
      });
      await new Promise<void>((resolve) => server.listen(path.join(folder, name), resolve));
      return server;
    }),
  );
  const software = ['evil.app', 'good.app'].map((name) =>
    aSoftware({
      target: randomId.parse(name.replace('.', '').padEnd(20, '0')),
      software: softwareId.parse(name),
      manifest: aManifest({ software: name, web: { prefix: name, main: `/${name}/main` } }),
      webSocketPath: path.join(folder, name),
    }),
  );
  const shared = { ...defaultPageSettings, listen: [{ host, port: 8888 }], settingsPort: 8887 };
  page = makeLocalPage({ dataDir: folder, settings: shared, rules: pageRules, loadView: async () => pageView, readPast: () => [] });
  await page.start(() => aSnapshot(software));
  const settingsPage = makeSettingsPage({
    settings: shared,
    rules: settingsRules,
    passwords: {
      state: () => (kept === undefined ? 'unset' : 'set'),
      set: async (next) => {
        kept = next;
      },
      matches: async (given) => given === kept,
    },
    names: [],
    log: { write: () => {} },
    monotonicMs: () => performance.now(),
  });
  door = makeSettingsDoor({ settings: shared, loadPage: async () => settingsPage, log: { write: () => {} } });
  await door.start({
    view: () => ({ gateway: 'gw-0001', model: 'PR-500KI', pending: [], requests: [], confirmations: [] }),
    answer: async (ask) => {
      asks.push(ask);
      return { kind: ask.kind, isOnline: true, updates: [] };
    },
  });
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      `--host-resolver-rules=MAP evil.example ${host}`,
    ],
  });
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await Promise.all([page?.stop(), door?.stop()]);
  for (const app of apps ?? []) app.close();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  asks = [];
  seen = [];
  kept = password;
  context = await newContext();
});
afterEach(() => context.close());

async function newContext(): Promise<BrowserContext> {
  const made = await browser.newContext();
  made.setDefaultTimeout(10_000);
  return made;
}

/** Browser code is text: this program's own types know no document. */
function run(at: Page, source: string, argument: unknown = null): Promise<unknown> {
  return at.evaluate(`(${source})(${JSON.stringify(argument)})`);
}

/** Logs the household in, in the browser in which the hostile page is open too. */
async function logIn(household = context): Promise<Page> {
  const own = await household.newPage();
  await own.goto(`${settings}/`);
  await own.fill('#password', password);
  await own.click('button:has-text("ログイン")');
  await own.waitForSelector('text=再同期する');
  return own;
}
async function hostilePage(victim = context): Promise<Page> {
  const attacker = await victim.newPage();
  await attacker.goto(`${hostile}/evil.app/main`);
  expect(await attacker.title()).toBe('evil.app');
  return attacker;
}
const everythingElse = [
  ['the list', `${list}/t/`],
  ['the detail view', `${list}/t/good.app`],
  ['status.json', `${list}/status.json`],
  ['another app', `${neighbour}/good.app/main`],
  ['the settings', `${settings}/`],
] as const;

describe('a hostile page that reads, while the household is logged in', () => {
  let victim: BrowserContext;
  let attacker: Page;
  beforeAll(async () => {
    kept = password;
    victim = await newContext();
    await logIn(victim);
    attacker = await hostilePage(victim);
  });
  afterAll(() => victim.close());

  test.each(everythingElse)('%s by fetch gets nothing', async (_what, url) => {
    const outcome = (await run(
      attacker,
      `async (address) => {
        const tries = [{ credentials: 'include' }, { credentials: 'omit' }, { mode: 'no-cors', credentials: 'include' }];
        return Promise.all(tries.map((options) => fetch(address, options).then((answer) => answer.text(), () => 'refused')));
      }`,
      url,
    )) as string[];
    expect(outcome.filter((text) => text !== 'refused' && text !== '')).toEqual([]);
  });

  test.each(everythingElse)('%s in a frame sees nothing', async (_what, url) => {
    const read = await run(
      attacker,
      `async (address) => {
        document.querySelector('iframe')?.remove();
        const frame = document.createElement('iframe');
        frame.src = address;
        const loaded = new Promise((resolve) => frame.addEventListener('load', resolve));
        document.body.append(frame);
        await loaded;
        try {
          return frame.contentDocument?.body.textContent ?? null;
        } catch {
          return null;
        }
      }`,
      url,
    );
    expect(read).toBeNull();
    const frame = attacker.frames().find((one) => one !== attacker.mainFrame());
    expect(await frame?.evaluate('document.body.textContent').catch(() => '')).not.toMatch(/secret of good|再同期|配信済/);
  });

  test.each(everythingElse.filter(([, url]) => !url.endsWith('.json')))('%s in a window holds nothing of it', async (_what, url) => {
    const opened = victim.waitForEvent('page');
    await run(attacker, '(address) => { globalThis.w = window.open(address); }', url);
    const other = await opened;
    await other.waitForLoadState();
    const read = await run(
      attacker,
      `() => {
        try {
          return w === null || w.closed ? 'severed' : (w.document.body.textContent ?? 'empty');
        } catch {
          return 'refused';
        }
      }`,
    );
    expect(['severed', 'refused']).toContain(read);
    await other.close();
  });

  test.each([
    ['status.json', `${list}/status.json`],
    ["the neighbour's script", `${neighbour}/good.app/data.js`],
    ["the neighbour's JSONP under its own origin", `${neighbour}/good.app/check?callback=stolen`],
    ['the settings', `${settings}/`],
  ])('%s as a script gets nothing', async (_what, url) => {
    seen = [];
    const stolen = await run(
      attacker,
      `async (address) => {
        let got = null;
        globalThis.stolen = (value) => { got = value; };
        const script = document.createElement('script');
        script.src = address;
        const ended = new Promise((resolve) => { script.onload = script.onerror = resolve; });
        document.head.append(script);
        await ended;
        return got;
      }`,
      url,
    );
    expect(stolen).toBeNull();
    expect(seen.filter(({ app }) => app === 'good.app')).toEqual([]);
  });
});

describe('a hostile page that changes', () => {
  const post = (attacker: Page, url: string, fields: Record<string, string>) =>
    run(
      attacker,
      `([address, body]) =>
        fetch(address, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
          headers: { 'content-type': 'application/x-www-form-urlencoded' },
          body,
        }).then(() => 'sent', () => 'refused')`,
      [url, new URLSearchParams(fields).toString()],
    );

  test('sends a form to the settings of a household that is logged in: nothing is done', async () => {
    await logIn();
    const attacker = await hostilePage();
    await post(attacker, `${settings}/ask`, { kind: 'resync' });
    await run(
      attacker,
      `(address) => {
        const form = Object.assign(document.createElement('form'), { method: 'post', action: address });
        form.append(Object.assign(document.createElement('input'), { name: 'kind', value: 'resync' }));
        document.body.append(form);
        form.submit();
      }`,
      `${settings}/ask`,
    );
    await attacker.waitForURL(`${settings}/ask`);
    expect(await attacker.textContent('body')).toContain('ほかのサイトからの操作は受け付けません');
    expect(asks).toEqual([]);
  });

  test('chooses the password before the household does: it is not set', async () => {
    kept = undefined;
    const attacker = await hostilePage();
    await post(attacker, `${settings}/setup`, { password: 'evil-secret', again: 'evil-secret' });
    expect(kept).toBeUndefined();
  });

  test('sends something to its neighbour: the neighbour never sees it', async () => {
    const attacker = await hostilePage();
    await post(attacker, `${neighbour}/good.app/switch`, { power: 'on' });
    await post(attacker, `${list}/good.app/switch`, { power: 'on' });
    expect(seen.filter(({ app }) => app === 'good.app')).toEqual([]);
  });

  test('uses cookies: it reads none of ours, ours outlive its own, and its own log nobody in', async () => {
    const own = await logIn();
    const [session] = await context.cookies(settings);
    expect(session).toMatchObject({ name: 'tsugite-settings-8887', httpOnly: true, sameSite: 'Strict' });
    const attacker = await hostilePage();
    expect(await run(attacker, '() => document.cookie')).toBe('');

    const toss = `(paths) => { for (const path of paths) document.cookie = 'tsugite-settings-8887=${'a'.repeat(64)}; Path=' + path; }`;
    await run(attacker, toss, ['/', '/ask']);
    await own.click('text=再同期する');
    await own.waitForSelector('text=再同期を依頼しました');
    expect(asks).toEqual([{ kind: 'resync' }]);
    expect(seen.every(({ cookie }) => cookie === undefined)).toBe(true);

    await context.clearCookies({ domain: host, name: 'tsugite-settings-8887', path: '/' });
    await run(attacker, toss, ['/']);
    await own.goto(`${settings}/`);
    expect(await own.textContent('h2')).toBe('ログイン');
  });

  test('registers a service worker, on its own origin too: none is installed', async () => {
    const attacker = await hostilePage();
    const outcome = await run(
      attacker,
      `async (addresses) => {
        const tries = addresses.map((address) => navigator.serviceWorker.register(address).then(() => 'installed', (error) => error.name));
        return { outcomes: await Promise.all(tries), left: (await navigator.serviceWorker.getRegistrations()).length };
      }`,
      ['/evil.app/worker.js', `${list}/evil.app/worker.js`, `${settings}/worker.js`],
    );
    expect(outcome).toEqual({ outcomes: expect.not.arrayContaining(['installed']), left: 0 });
  });
});

describe('a page of the Internet whose name leads here (DNS rebinding)', () => {
  test.each([
    ['the list', 8888, '/t/'],
    ['the settings', 8887, '/'],
    ['an app', 8890, '/good.app/main'],
  ])('does not see %s', async (_what, port, target) => {
    const rebound = await context.newPage();
    const answer = await rebound.goto(`http://evil.example:${port}${target}`);
    expect(answer?.status()).toBe(421);
    expect(await rebound.textContent('body')).not.toMatch(/配信済|設定の|secret/);
  });
});

test('the household itself: list, detail view, settings and back, in the browser that just refused all that', async () => {
  const own = await context.newPage();
  await own.goto(`${list}/t/`);
  await own.click('text=詳細と履歴 >> nth=0');
  await own.waitForURL(`${list}/t/evil.app`);
  await own.click('text=設定（パスワードが必要です）');
  await own.waitForURL(`${settings}/`);
  await own.fill('#password', password);
  await own.click('button:has-text("ログイン")');
  await own.check('input[name=value][value=no]');
  await own.click('text=登録する');
  await own.waitForSelector('text=確認の結果を登録しました');
  expect(asks).toEqual([{ kind: 'confirm', item: 'office-equipment', value: 'no' }]);
  await own.click('text=English');
  await own.waitForSelector('text=Connected equipment');
  await own.click('text=Log out');
  await own.waitForSelector('text=You are logged out.');
});

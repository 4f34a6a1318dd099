import { describe, expect, test } from 'vitest';
import { defaultPageSettings, faultsOfPageSettings } from '../../../../agent/rules/page/settings.ts';
import { renderSettings } from '../../../../agent/rules/settings/html.ts';
import { findPasswordFault } from '../../../../agent/rules/settings/password.ts';
import { cookieValues, decideSettings } from '../../../../agent/rules/settings/request.ts';
import { afterFailure, noFailures, waitMs } from '../../../../agent/rules/settings/throttle.ts';
import type { SettingsView } from '../../../../agent/rules/settings/view.ts';
import { settingsWords } from '../../../../agent/rules/settings/words.ts';
import { randomId } from '../../../../protocol/fields.ts';

const settings = { ...defaultPageSettings, settingsPort: 8887 };
const host = '127.0.0.1:8887';
const decide = (method: string, target: string, headers: Record<string, string> = {}, name = host) =>
  decideSettings({ method, target, host: name, headers }, settings);
const post = (headers: Record<string, string>) => decide('POST', '/ask', headers);
const crossSite = { kind: 'refuse', why: 'cross-site' };

describe('who may change something', () => {
  test('a form of our own page', () => {
    expect(post({ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toMatchObject({ kind: 'form', action: 'ask' });
    expect(post({ origin: `http://${host}` })).toMatchObject({ kind: 'form' });
  });

  test.each([
    {
      what: 'a page of an app, on another port of the same host',
      headers: { origin: 'http://127.0.0.1:8889', 'sec-fetch-site': 'same-site' },
    },
    { what: 'a page of the Internet', headers: { origin: 'http://evil.example', 'sec-fetch-site': 'cross-site' } },
    { what: 'a sandboxed frame', headers: { origin: 'null' } },
    { what: 'a program that names no origin', headers: {} },
    { what: 'one that lies about its origin but not its site', headers: { origin: `http://${host}`, 'sec-fetch-site': 'same-site' } },
  ])('not $what', ({ headers }) => {
    expect(post(headers as Record<string, string>)).toEqual(crossSite);
  });

  test('not under a name that is not ours (DNS rebinding)', () => {
    expect(decide('GET', '/', {}, 'evil.example:8887')).toEqual({ kind: 'refuse', why: 'host' });
    expect(decideSettings({ method: 'GET', target: '/', host: undefined, headers: {} }, settings)).toEqual({ kind: 'refuse', why: 'host' });
  });
});

describe('who may look', () => {
  test.each([
    { what: 'somebody who typed the address', headers: { 'sec-fetch-site': 'none' } },
    {
      what: 'somebody who followed the link of the list',
      headers: { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    },
  ])('$what', ({ headers }) => {
    expect(decide('GET', '/?lang=en&said=set', headers as Record<string, string>)).toEqual({ kind: 'page', language: 'en', said: 'set' });
  });

  test.each(['iframe', 'embed', 'object', 'script', 'empty'])('no other page, by %s', (dest) => {
    const mode = dest === 'iframe' ? 'navigate' : 'no-cors';
    expect(decide('GET', '/', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': mode, 'sec-fetch-dest': dest })).toEqual(crossSite);
  });

  test.each([
    ['GET', '/ask', 'not-found'],
    ['GET', '/../', 'malformed'],
    ['GET', '/?x="', 'malformed'],
    ['POST', '/reboot', 'not-found'],
    ['PUT', '/', 'method'],
  ])('%s %s is refused', (method, target, why) => {
    expect(decide(method, target, { origin: `http://${host}` })).toEqual({ kind: 'refuse', why });
  });

  test('a service worker is never installed', () => {
    expect(decide('GET', '/', { 'service-worker': 'script' })).toEqual({ kind: 'refuse', why: 'service-worker' });
  });

  test('a second cookie of that name does not hide ours', () => {
    expect(cookieValues('a=1; tsugite=x; tsugite=y;tsugitee=z', 'tsugite')).toEqual(['x', 'y']);
    expect(cookieValues(undefined, 'tsugite')).toEqual([]);
  });
});

describe('the password', () => {
  const names = ['gw-0001-home', 'PR-500KI'];
  test.each([
    ['とても長い合言葉です', undefined],
    ['k7#mzP2q', undefined],
    ['short7!', 'short'],
    ['x'.repeat(65), 'long'],
    ['12345678', 'common'],
    ['１２３４５６７８', 'common'],
    ['PASSWORD', 'common'],
    ['abababab', 'common'],
    ['aaaaaaaaaa', 'common'],
    ['pr-500ki', 'common'],
    ['GW-0001-HOME', 'common'],
  ])('%s: %s', (password, fault) => {
    expect(findPasswordFault(password, password, names)).toBe(fault);
  });

  test('is typed twice, and full-width characters are the same ones', () => {
    expect(findPasswordFault('k7#mzP2q', 'k7#mzP2Q', names)).toBe('differ');
    expect(findPasswordFault('ｋ７#mzP2q', 'k7#mzP2q', names)).toBeUndefined();
  });
});

describe('the throttle', () => {
  test('lets five tries pass, then doubles the wait up to a quarter of an hour, and forgets after an hour', () => {
    let throttle = noFailures;
    const waits = [];
    let nowMs = 1_000;
    for (let tries = 0; tries < 14; tries++) {
      const wait = waitMs(throttle, nowMs);
      waits.push(wait / 1000);
      nowMs += wait;
      throttle = afterFailure(throttle, nowMs);
    }
    expect(waits).toEqual([0, 0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900]);
    expect(waitMs(throttle, nowMs + 3_600_000)).toBe(0);
    expect(afterFailure(throttle, nowMs + 3_600_000).failures).toBe(1);
  });

  test('a guesser has fewer than a hundred and ten tries a day', () => {
    let throttle = noFailures;
    let nowMs = 0;
    let tries = 0;
    for (; nowMs < 86_400_000; tries++) {
      nowMs += waitMs(throttle, nowMs);
      throttle = afterFailure(throttle, nowMs);
    }
    expect(tries).toBeLessThan(110);
  });
});

describe('what a household reads', () => {
  const view: SettingsView = {
    gateway: 'gw-0001',
    model: 'PR-500KI',
    pending: [
      {
        target: randomId.parse('t'.repeat(20)),
        software: 'demo.ipv4',
        title: { ja: '<script>設定', en: '<script>' },
        from: '1.0.0',
        to: '1.1.0',
        reason: { code: 'WINDOW_WAIT', detail: { from: '02:00', to: '05:00' } },
        mayPostponeUntilMs: Date.parse('2026-11-24T00:00:00Z'),
      },
    ],
    requests: [],
    confirmations: [],
  };
  const show = (language: 'ja' | 'en') =>
    renderSettings(view, { language, listUrl: 'http://127.0.0.1:8888/t/', token: 'f'.repeat(64), said: undefined });

  test('every form carries the token, nothing of a provider is markup, and no command is named', () => {
    const page = show('ja');
    expect(page.match(/<form /g)?.length).toBe(page.match(new RegExp('f'.repeat(64), 'g'))?.length);
    expect(page).not.toContain('<script');
    expect(page).not.toContain('tsugite-agent');
    expect(page).toContain('バージョン1.0.0から1.1.0に更新します。');
    expect(page).toContain('2026年11月24日 9:00'.replace(' 9:', ' 09:'));
  });

  test('both languages say the same things', () => {
    const namesOf = (value: object): unknown =>
      Object.entries(value).map(([name, text]) => (typeof text === 'object' ? [name, namesOf(text)] : name));
    expect(namesOf(settingsWords.en)).toEqual(namesOf(settingsWords.ja));
    expect(show('en')).toContain('Version 1.0.0 becomes 1.1.0.');
  });
});

test('the port of the settings is its own', () => {
  expect(faultsOfPageSettings(settings)).toEqual([]);
  for (const settingsPort of [8888, 8890])
    expect(faultsOfPageSettings({ ...settings, settingsPort })).toMatchObject([{ field: 'page.settingsPort' }]);
});

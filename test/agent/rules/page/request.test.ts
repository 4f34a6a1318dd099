import { describe, expect, test } from 'vitest';
import { assignAppPorts } from '../../../../agent/rules/page/ports.ts';
import { decidePage, ownOriginOf, type PageRequest } from '../../../../agent/rules/page/request.ts';
import { defaultPageSettings, faultsOfPageSettings, isHomeAddress } from '../../../../agent/rules/page/settings.ts';
import { aSnapshot, aSoftware } from '../../../support/snapshots.ts';

const ports = { 'demo.ipv4': 8889 };
const ask = (target: string, more: Partial<PageRequest> = {}, settings = defaultPageSettings) =>
  decidePage({ method: 'GET', target, host: '127.0.0.1:8888', headers: {}, port: 8888, ...more }, aSnapshot(), ports, settings);
const refused = (why: string) => ({ kind: 'refuse', why });

describe('the shared page', () => {
  test('/ and /t lead to /t/, which is shown in Japanese unless English is asked for', () => {
    expect(ask('/')).toEqual({ kind: 'redirect', location: '/t/' });
    expect(ask('/t')).toEqual({ kind: 'redirect', location: '/t/' });
    expect(ask('/t?lang=en')).toEqual({ kind: 'redirect', location: '/t/?lang=en' });
    expect(ask('/t/')).toEqual({ kind: 'page', language: 'ja' });
    expect(ask('/t/?lang=en')).toEqual({ kind: 'page', language: 'en' });
    expect(ask('/t/?lang=fr')).toEqual({ kind: 'page', language: 'ja' });
    expect(ask('/status.json')).toEqual({ kind: 'status' });
  });

  test('it is read-only', () => {
    expect(ask('/t/', { method: 'HEAD' })).toEqual({ kind: 'page', language: 'ja' });
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'])
      expect(ask('/t/', { method })).toEqual(refused('method'));
  });

  test.each(['127.0.0.1:8888', '127.0.0.1', 'localhost:8888', 'LOCALHOST', 'ntt.setup:8888', 'ntt.setup', '127.0.0.1:40001'])(
    'answers under %s',
    (host) => {
      expect(ask('/t/', { host }).kind).toBe('page');
    },
  );

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:8888',
    'ntt.setup.evil.example',
    '192.168.1.1:8888',
    'localhost@evil.example',
    '[::1]:8888',
    'localhost:8888:8888',
  ])('refuses the host %s, as a rebound name would bring it', (host) => expect(ask('/t/', { host })).toEqual(refused('host')));

  test('a listen address is a host name too', () => {
    const settings = {
      ...defaultPageSettings,
      listen: [
        { host: '192.168.1.1', port: 8888 },
        { host: 'fd00::1', port: 8888 },
      ],
    };
    expect(ask('/t/', { host: '192.168.1.1:8888' }, settings).kind).toBe('page');
    expect(ask('/t/', { host: '[fd00::1]:8888' }, settings).kind).toBe('page');
    expect(ask('/t/', { host: '127.0.0.1:8888' }, settings)).toEqual(refused('host'));
  });

  test.each([
    '/demo.ipv4/../t/',
    '/demo.ipv4/%2e%2e/x',
    '/demo.ipv4/.%2E/x',
    '/demo.ipv4/./x',
    '//evil.example/',
    '/demo.ipv4//x',
    '/demo.ipv4/a%2fb',
    '/demo.ipv4/a%5cb',
    '/demo.ipv4/a%00',
    'http://evil.example/',
    '/demo.ipv4/\\x',
    '/demo.ipv4/<x>',
    `/demo.ipv4/${'x'.repeat(2_000)}`,
    '*',
  ])('the target %s is malformed', (target) => expect(ask(target)).toEqual(refused('malformed')));

  test('a path of an app goes to that app, and to no other', () => {
    expect(ask('/demo.ipv4/check?callback=hgw')).toMatchObject({ kind: 'app', isOwnOrigin: false, software: { software: 'demo.ipv4' } });
    expect(ask('/demo.ipv4')).toMatchObject({ kind: 'app' });
    for (const target of ['/demo.ipv', '/demo.ipv4x/check', '/other.app/check', '/t/x', '/favicon.ico'])
      expect(ask(target)).toEqual(refused('not-found'));
  });

  test('an app that does not run has no pages', () => {
    const stopped = aSoftware({ state: 'stopped' });
    delete stopped.webSocketPath;
    const request = { method: 'GET', target: '/demo.ipv4/check', host: 'localhost', headers: {}, port: 8888 };
    expect(decidePage(request, aSnapshot([stopped]), ports, defaultPageSettings)).toEqual(refused('not-running'));
  });

  test.each(['hgw', '_', '$a', 'a'.repeat(32)])('the JSONP callback %s may pass', (name) =>
    expect(ask(`/demo.ipv4/check?callback=${name}`).kind).toBe('app'),
  );
  test.each(['', '1a', 'a.b', 'a;b', 'alert(1)', 'a'.repeat(33), 'a%0ab', '%3Cscript%3E', 'a&callback=b'])(
    'the JSONP callback %s may not',
    (name) => expect(ask(`/demo.ipv4/check?callback=${name}`)).toEqual(refused('callback')),
  );

  test('no service worker is served', () => {
    expect(ask('/demo.ipv4/worker.js', { headers: { 'service-worker': 'script' } })).toEqual(refused('service-worker'));
    expect(ask('/demo.ipv4/worker.js', { headers: { 'service-worker': 'script' }, port: 8889 })).toEqual(refused('service-worker'));
  });
});

describe("an app's own origin", () => {
  test('shows this app alone', () => {
    expect(ask('/demo.ipv4/main', { port: 8889 })).toMatchObject({ kind: 'app', isOwnOrigin: true });
    expect(ask('/', { port: 8889 })).toEqual({ kind: 'redirect', location: '/demo.ipv4/main' });
    for (const target of ['/t/', '/status.json', '/other.app/x']) expect(ask(target, { port: 8889 })).toEqual(refused('not-found'));
    expect(ask('/demo.ipv4/main', { port: 8890 })).toEqual(refused('not-found'));
  });

  test('takes a form of its own pages, not of another site', () => {
    const post = (headers: Record<string, string>) =>
      ask('/demo.ipv4/form', { method: 'POST', port: 8889, host: 'localhost:8889', headers }).kind;
    expect(post({})).toBe('app');
    expect(post({ origin: 'http://localhost:8889' })).toBe('app');
    expect(post({ 'sec-fetch-site': 'same-origin' })).toBe('app');
    for (const headers of [
      { origin: 'http://localhost:8888' },
      { origin: 'null' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ])
      expect(ask('/demo.ipv4/form', { method: 'POST', port: 8889, host: 'localhost:8889', headers })).toEqual(refused('cross-site'));
  });

  test('is named as the browser knows the gateway, by its outer port', () => {
    expect(ownOriginOf('demo.ipv4', 'ntt.setup:8888', ports, defaultPageSettings)).toBe('http://ntt.setup:8889');
    expect(
      ownOriginOf('demo.ipv4', '127.0.0.1:40000', ports, { ...defaultPageSettings, outerPorts: { '8888': 40_000, '8889': 40_001 } }),
    ).toBe('http://127.0.0.1:40001');
    expect(ownOriginOf('demo.ipv4', '[fd00::1]:8888', ports, defaultPageSettings)).toBe('http://[fd00::1]:8889');
    expect(ownOriginOf('other.app', 'ntt.setup', ports, defaultPageSettings)).toBeUndefined();
  });
});

describe('ports of apps', () => {
  const row = { from: 8889, count: 3 };
  test('are given once and kept, also while the app is away', () => {
    const first = assignAppPorts({}, ['a.x', 'b.x'], row);
    expect(first).toEqual({ 'a.x': 8889, 'b.x': 8890 });
    expect(assignAppPorts(first, ['b.x', 'c.x'], row)).toEqual({ 'a.x': 8889, 'b.x': 8890, 'c.x': 8891 });
    expect(assignAppPorts(first, ['a.x'], row)).toBe(first);
  });
  test('are given anew only when the row is used up, and never that of an app that is here', () => {
    const full = { 'a.x': 8889, 'b.x': 8890, 'c.x': 8891 };
    expect(assignAppPorts(full, ['a.x', 'c.x', 'd.x'], row)).toEqual({ 'a.x': 8889, 'c.x': 8891, 'd.x': 8890 });
    expect(assignAppPorts(full, ['a.x', 'b.x', 'c.x', 'd.x'], row)).toEqual(full);
  });
  test('that are no longer of the row are given anew', () => {
    expect(assignAppPorts({ 'a.x': 7000 }, ['a.x'], row)).toEqual({ 'a.x': 8889 });
  });
});

describe('where the page may listen', () => {
  test.each(['127.0.0.1', '192.168.1.1', '10.0.0.1', '172.16.0.1', '172.31.255.1', '169.254.1.1', '::1', 'fd00::1', 'fe80::1'])(
    '%s is at home',
    (host) => expect(isHomeAddress(host)).toBe(true),
  );
  test.each(['0.0.0.0', '::', '198.18.0.2', '172.32.0.1', '8.8.8.8', '2001:db8::1', 'localhost', '127.0.0.256', ''])('%s is not', (host) =>
    expect(isHomeAddress(host)).toBe(false),
  );

  test('every fault of the settings is named at once', () => {
    const faults = faultsOfPageSettings({
      listen: [{ host: '0.0.0.0', port: 8889 }],
      appPorts: { from: 8889, count: 100 },
      outerPorts: { '8888': 0 },
      hostNames: ['NTT.setup'],
    });
    expect(faults.map(({ field }) => field)).toEqual([
      'page.listen[0].host',
      'page.listen[0].port',
      'page.appPorts',
      'page.outerPorts.8888',
      'page.hostNames',
    ]);
    expect(faultsOfPageSettings(defaultPageSettings)).toEqual([]);
  });
});

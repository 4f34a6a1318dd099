import { describe, expect, test } from 'vitest';
import { decideAppAnswer } from '../../../../agent/rules/page/app-answer.ts';

const onShared = (headers: Record<string, string | string[]>, status = 200) =>
  decideAppAnswer({ status, headers }, { isOwnOrigin: false, prefix: 'demo.ipv4' });
const onOwn = (headers: Record<string, string | string[]>, status = 200) =>
  decideAppAnswer({ status, headers }, { isOwnOrigin: true, prefix: 'demo.ipv4' });

describe('under the shared origin', () => {
  test.each([
    'text/html',
    'text/html; charset=utf-8',
    'TEXT/HTML',
    'application/xhtml+xml',
    'image/svg+xml',
    'text/xml',
    'application/pdf',
    'multipart/x-mixed-replace',
    'made/up',
  ])('%s does not stand: it goes to the own origin of the app', (type) =>
    expect(onShared({ 'content-type': type })).toEqual({ kind: 'to-own-origin' }),
  );
  test('an answer without a type does not stand either: a browser would guess', () => {
    expect(onShared({})).toEqual({ kind: 'to-own-origin' });
  });
  test.each(['application/json', 'application/javascript; charset=utf-8', 'text/plain', 'image/png', 'text/css'])(
    '%s passes, and runs nothing',
    (type) =>
      expect(onShared({ 'content-type': type })).toMatchObject({
        kind: 'pass',
        headers: {
          'content-type': type,
          'x-content-type-options': 'nosniff',
          'content-security-policy': "sandbox; default-src 'none'; frame-ancestors 'none'",
        },
      }),
  );
  test('the HTML of an error is shown as text', () => {
    expect(onShared({ 'content-type': 'text/html' }, 404)).toMatchObject({
      kind: 'pass',
      status: 404,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
  });
});

test('cookies, logins, service workers and foreign policies do not pass, on either origin', () => {
  const headers = {
    'content-type': 'application/json',
    'set-cookie': ['a=b'],
    'service-worker-allowed': '/',
    'www-authenticate': 'Basic',
    'access-control-allow-origin': '*',
    'clear-site-data': '"*"',
    refresh: '0; url=http://evil.example',
    link: '</x>; rel=preload',
    etag: '"1"',
  };
  for (const decide of [onShared, onOwn]) {
    const decision = decide(headers);
    expect(decision.kind === 'pass' && Object.keys(decision.headers).filter((name) => name in headers)).toEqual(['content-type', 'etag']);
  }
});

test("on the app's own origin its pages stand, with nosniff and framed by itself only", () => {
  expect(onOwn({ 'content-type': 'text/html', 'content-security-policy': "default-src 'self'" })).toMatchObject({
    kind: 'pass',
    headers: {
      'content-type': 'text/html',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      'content-security-policy': "default-src 'self'",
    },
  });
});

test('a login prompt becomes a plain refusal: no credential is ever asked for here', () => {
  expect(onOwn({ 'content-type': 'text/plain', 'www-authenticate': 'Basic realm="x"' }, 401)).toMatchObject({ kind: 'pass', status: 403 });
});

test.each(['/demo.ipv4/main', '/demo.ipv4'])('a redirect to %s stays within the app', (location) =>
  expect(onOwn({ location }, 302)).toMatchObject({ kind: 'pass', status: 302, headers: { location } }),
);
test.each([
  'http://evil.example/',
  '//evil.example/',
  '/t/',
  '/demo.ipv4x/',
  '/demo.ipv4/../t/',
  '/demo.ipv4//x',
  '/\\evil.example',
  'main',
  'javascript:alert(1)',
])('a redirect to %s is not passed on', (location) => expect(onOwn({ location }, 302)).toEqual({ kind: 'refuse' }));
test('a protocol switch or an odd status is refused', () => {
  expect(onOwn({}, 101)).toEqual({ kind: 'refuse' });
  expect(onOwn({}, 999)).toEqual({ kind: 'refuse' });
});

/** Whom the kit gives a token to: a server that TLS proves, and that answers as a distribution server does. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { anAuthority } from '../support/gateway-pki.ts';
import { anHttpsServer } from '../support/https-server.ts';
import { aKit } from '../support/kit.ts';

const token = 'a-token-of-the-operator';
const home = mkdtempSync(path.join(tmpdir(), 'tsugite-login-'));
const at = (name: string) => path.join(home, name);
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe('a server behind TLS', () => {
  test('is believed by a public authority or by --ca, and otherwise not; then no token was sent', async () => {
    const ca = await anAuthority('test server CA');
    const who = { name: 'x', role: 'provider', provider: 'demo', expires: '2027-01-01T00:00:00.000Z' };
    const behind = await anHttpsServer({ server: ca, device: ca }, (_, response) => void response.end(JSON.stringify(who)));
    writeFileSync(at('ca.pem'), ca.certPem);
    const desk = aKit();
    const login = (...more: string[]) => desk.tsugite(['login', behind.url, '--token-file', '-', ...more, '--json'], { input: token });
    expect(await login()).toMatchObject({ code: 1, json: { code: 'TLS_FAILED' } });
    expect(behind.asked).toEqual([]);
    expect(await login('--ca', at('ca.pem'))).toMatchObject({ code: 0, json: { provider: 'demo' } });
    expect(behind.asked.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${token}`]);
    await desk.tsugite(['publish', '--list', '--json']); // with the authority that was named at the login
    expect(behind.asked).toHaveLength(2);
    await behind.stop();
  });

  test('that is something else than a distribution server is told from one', async () => {
    const ca = await anAuthority('test server CA');
    const pages = ['<html>Welcome to the hotel</html>', '{"welcome":"to the hotel"}'];
    const portal = await anHttpsServer({ server: ca, device: ca }, (_, response) => void response.end(pages[0]));
    writeFileSync(at('ca.pem'), ca.certPem);
    const desk = aKit();
    for (; pages.length > 0; pages.shift())
      expect(
        await desk.tsugite(['login', portal.url, '--token-file', '-', '--ca', at('ca.pem'), '--json'], { input: token }),
      ).toMatchObject({
        code: 1,
        json: { code: 'SERVER_UNREACHABLE', kind: 'not-the-api' },
      });
    expect(existsSync(path.join(desk.folder, 'servers.json'))).toBe(false);
    await portal.stop();
  });
});

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseEnvelope, payloadOf } from '../../../protocol/dsse.ts';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { est, packagePath, rootPath } from '../../../protocol/routes.ts';
import { parseRoot } from '../../../protocol/statements/root.ts';
import { gatewayRoutes } from '../../../server/gateway-api/route-table.ts';
import { anIdentity, aRequest, certificateIn } from '../../support/gateway-pki.ts';
import { aGatewaySide, type ClientIdentity, fronts, type GatewaySideRig } from '../../support/gateway-side.ts';

describe.each(fronts)('packages, roots and bundles from %s', (front) => {
  let rig: GatewaySideRig;
  let gateway: GatewayId;
  let site: RandomId;
  let identity: ClientIdentity;
  let listed: Awaited<ReturnType<GatewaySideRig['aTarget']>>;

  beforeAll(async () => {
    rig = await aGatewaySide({ front });
    ({ gateway, site } = await rig.aGateway('gw-files-0001'));
    const request = await aRequest(gateway);
    const authorization = `Basic ${Buffer.from(`${gateway}:${await rig.invite(gateway)}`).toString('base64')}`;
    const answer = await rig.ask('POST', est.simpleenroll, { headers: { authorization }, body: request.base64 });
    identity = { keyPem: request.keyPem, ...certificateIn(answer.body.toString()) };
    listed = await rig.aTarget(site);
    await rig.db.query("UPDATE gateways SET notice_due_at = '2020-01-01' WHERE id = $1", [gateway]);
    await rig.db.query("SELECT pg_notify('tsugite_notice_due', $1)", [gateway]);
    await vi.waitFor(async () => expect(await rig.db.query('SELECT 1 FROM notices')).toHaveLength(1));
  });
  afterAll(() => rig.stop());

  const get = (headers: Record<string, string> = {}, path = packagePath(listed.sha256)) => rig.ask('GET', path, { as: identity, headers });

  const etag = async () => String((await get({ range: 'bytes=0-0' })).headers.etag);

  test('a package of the gateway’s notice is served whole, with a strong ETag, for ever', async () => {
    const { status, headers, body } = await get();
    expect([status, headers['content-length'], headers['accept-ranges']]).toEqual([200, String(listed.content.length), 'bytes']);
    // RFC 9110 §8.8.3: strong, so that If-Range takes it. nginx makes its own, of the file's time and size.
    expect(headers.etag).toMatch(front === 'nginx' ? /^"[0-9a-f]+-[0-9a-f]+"$/ : new RegExp(`^"${listed.sha256}"$`));
    expect(headers['cache-control']).toMatch(/immutable/);
    expect(body.equals(listed.content)).toBe(true);
  });

  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=300000-', 300_000, 699_999],
    ['bytes=699000-999999999', 699_000, 699_999],
    ['bytes=-100', 699_900, 699_999],
  ])('range %s', async (range, start, end) => {
    const { status, headers, body } = await get({ range });
    expect([status, headers['content-range'], headers['content-length']]).toEqual([
      206,
      `bytes ${start}-${end}/700000`,
      String(end - start + 1),
    ]);
    expect(body.equals(listed.content.subarray(start, end + 1))).toBe(true);
  });

  test('a range beyond the end is 416 and says how long the file is', async () => {
    const { status, headers } = await get({ range: 'bytes=700000-' });
    expect([status, headers['content-range']]).toEqual([416, 'bytes */700000']);
  });

  test('If-Range resumes with the same ETag and starts anew with another', async () => {
    expect((await get({ range: 'bytes=5-', 'if-range': await etag() })).status).toBe(206);
    const other = await get({ range: 'bytes=5-', 'if-range': `"${'0'.repeat(64)}"` });
    expect([other.status, other.body.length]).toEqual([200, 700_000]);
  });

  test('If-None-Match answers 304 without the bytes', async () => {
    const { status, body } = await get({ 'if-none-match': await etag() });
    expect([status, body.length]).toEqual([304, 0]);
  });

  test('a package that is not in this gateway’s notice is 403, whether it exists or not', async () => {
    const { site: otherSite } = await rig.aGateway('gw-files-0002');
    const others = await rig.aTarget(otherSite, { software: 'other.app' });
    const answers = [await get({}, packagePath(others.sha256)), await get({}, `/packages/${'0'.repeat(64)}`)];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(answers[0]?.body.equals(answers[1]?.body ?? Buffer.alloc(0))).toBe(true);
  });

  test.each(['/packages/xyz', `/packages/${'A'.repeat(64)}`, '/packages/..%2f..%2fetc%2fpasswd'])('%s names no package', async (path) => {
    // nginx itself refuses a path that leads out of the root.
    expect((await get({}, path)).status).toBe(front === 'nginx' && path.includes('%2f') ? 400 : 404);
  });

  test('roots are for everybody, and a version that is not there is 404', async () => {
    const { status, headers, body } = await rig.ask('GET', rootPath(1));
    expect([status, headers['content-type']]).toEqual([200, 'application/json']);
    expect(parseRoot(payloadOf(parseEnvelope(body))).version).toBe(1);
    for (const path of ['/root/2', '/root/0', '/root/1.json', '/root/x']) expect((await rig.ask('GET', path)).status).toBe(404);
  });

  test('a bundle that nobody asked for is 404', async () => {
    expect((await rig.ask('PUT', '/bundles/abcdefghijklmnop', { as: identity, body: 'x' })).status).toBe(404);
  });

  const pathOf = (url: string) => url.replace(':version', '1').replace(':sha256', listed.sha256).replace(':id', 'abcdefghijklmnop');
  const open = new Set<string>(['anyone', 'invited']);

  test('every route of the table that is not open answers 403 without a certificate, and with one that was never issued', async () => {
    const stranger = await anIdentity(rig.deviceCa, gateway);
    const closed = Object.values(gatewayRoutes).filter(({ access }) => !open.has(access));
    expect(closed.length).toBeGreaterThan(2);
    for (const { method, url } of closed)
      for (const as of [undefined, stranger])
        expect([
          url,
          (await rig.ask(method, pathOf(url), { ...(as === undefined ? {} : { as }), ...(method === 'GET' ? {} : { body: 'x' }) })).status,
        ]).toEqual([url, 403]);
  });

  test('whatever is not in the table answers 403 to strangers and 404 to gateways', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/api/v1/gateways'],
      ['DELETE', packagePath(listed.sha256)],
      ['GET', est.simpleenroll],
    ] as const) {
      expect([path, (await rig.ask(method, path)).status]).toEqual([path, 403]);
      expect([path, (await rig.ask(method, path, { as: identity })).status]).toEqual([path, 404]);
    }
  });

  test('a certificate named in a header, of whatever name a front may use, is nobody’s', async () => {
    const certificate = encodeURIComponent(identity.certPem);
    const headers = {
      'x-tsugite-certificate': certificate,
      'x-ssl-client-cert': certificate,
      'x-accel-redirect': `/tsugite-store/${listed.sha256}`,
    };
    expect((await rig.ask('GET', packagePath(listed.sha256), { headers })).status).toBe(403);
    // Nor does it help to show a certificate of one's own beside it.
    const { gateway: other } = await rig.aGateway(`gw-${front}-other`);
    const own = await rig.anIdentity(other);
    expect((await rig.ask('GET', packagePath(listed.sha256), { as: own, headers })).status).toBe(403);
  });

  test.each(['/tsugite-store/', '/packages/../tsugite-store/', '/packages/%2e%2e/tsugite-store/', '//tsugite-store/'])(
    'where the front has the files, %s, nobody is let in',
    async (folder) => {
      for (const as of [undefined, identity]) {
        const { status } = await rig.ask('GET', `${folder}${listed.sha256}`, as === undefined ? {} : { as });
        expect([403, 404]).toContain(status);
      }
    },
  );
});

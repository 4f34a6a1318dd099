/** The agent fetches a package through the nginx that we ship: from the gateways' own address, and from one that the signed root names. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { makeHttpsClient } from '../../../agent/adapters/https-client.ts';
import { makePartFiles } from '../../../agent/adapters/part-files.ts';
import { openTlsSocket } from '../../../agent/adapters/tls-socket.ts';
import { makeDownloadPackage } from '../../../agent/flows/download-package.ts';
import type { LogEvent } from '../../../agent/ports.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { packagePath } from '../../../protocol/routes.ts';
import { aLine } from '../../support/counted-line.ts';
import { realClock } from '../../support/gateway-link.ts';
import { aGatewaySide, type GatewaySideRig, httpsRequest } from '../../support/gateway-side.ts';

const packageBytes = 6_000_000;
const patience = { timeout: 15_000, interval: 5 };
let rig: GatewaySideRig;
let gateway: GatewayId;
let site: RandomId;
let identity: Awaited<ReturnType<GatewaySideRig['anIdentity']>>;
let listed: Awaited<ReturnType<GatewaySideRig['aTarget']>>;
let folder: string;
let events: LogEvent[];

beforeAll(async () => {
  rig = await aGatewaySide({ front: 'nginx' });
  ({ gateway, site } = await rig.aGateway('gw-nginx-0001'));
  identity = await rig.anIdentity(gateway);
  listed = await rig.aTarget(site, { content: randomBytes(packageBytes) });
  await rig.wake(gateway);
  await vi.waitFor(async () => expect(await rig.newestNotice(gateway)).toBeDefined(), patience);
});
afterAll(() => rig.stop());
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-download-'));
  events = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = () => path.join(folder, `${listed.sha256}.tsg`);

function download(bases: string[], own: string): Promise<void> {
  const ledger = { charge: () => {}, chargePackage: () => {}, month: () => ({ totalBytes: 0, byPurpose: {} as never }) };
  const client = { privateKeyPem: identity.keyPem, certificatePem: identity.certPem };
  const { download: fetchIt } = makeDownloadPackage({
    https: makeHttpsClient({ clock: realClock, ledger, wireModel, networkFaultOf }),
    parts: makePartFiles(),
    clock: realClock,
    random: { fraction: () => 0, hex: () => '', id: () => '' as never },
    log: { write: (event) => void events.push(event) },
    // As the agent has it: our certificate is for the enrolment server alone.
    trustFor: (base) => ({ serverCasPem: [rig.serverCa.certPem], ...(base === own && { client }) }),
  });
  return fetchIt({ sha256: listed.sha256, bytes: packageBytes, path: file(), bases }, new AbortController().signal);
}
const isWhole = () => existsSync(file()) && readFileSync(file()).equals(listed.content);
const base = (port: number) => `https://127.0.0.1:${port}`;

test.each(['the gateways’ own address', 'an address of the root'] as const)(
  'a package from %s goes on where the line broke',
  async (where) => {
    const port = (where === 'an address of the root' ? rig.nginx?.packagesPort : rig.nginx?.port) ?? 0;
    const line = await aLine(port, { stopAfterDown: 2_000_000 });
    const own = where === 'an address of the root' ? 'https://127.0.0.1:1' : base(line.port);
    await download([base(line.port)], own);
    expect(isWhole()).toBe(true);
    const [resumed] = events.filter(({ event }) => event === 'download.resumed');
    expect(Number(resumed?.detail?.resumedAt)).toBeGreaterThan(1_000_000);
    // Nothing was fetched twice but what was on its way when the line broke.
    expect(line.bytes().down).toBeLessThan(packageBytes + 1_500_000);
    line.close();
  },
  30_000,
);

test('while the address of the root is away, the gateways’ own address gives it', async () => {
  const own = base(rig.ports().httpsPort);
  await download([base(1), own], own);
  expect(isWhole()).toBe(true);
}, 30_000);

test('from the address of the root everybody gets what he knows the digest of, and nothing else', async () => {
  const ask = (method: string, url: string) => httpsRequest(rig.nginx?.packagesPort ?? 0, rig.serverCa.certPem, method, url, {});
  const whole = await ask('GET', packagePath(listed.sha256));
  expect([whole.status, whole.headers['cache-control'], whole.headers['content-type']]).toEqual([
    200,
    'public, max-age=31536000, immutable',
    'application/octet-stream',
  ]);
  expect(whole.body.equals(listed.content)).toBe(true);
  for (const url of [
    '/packages/',
    '/packages',
    '/',
    `/packages/${'0'.repeat(64)}`,
    '/packages/incoming',
    '/packages/../socket/gateways.sock',
    '/root/1',
  ])
    expect([url, (await ask('GET', url)).status]).toEqual([url, 404]);
  expect((await ask('PUT', packagePath(listed.sha256))).status).toBe(403);
});

test('a connect through nginx carries no session tickets: as many bytes as one to the server, within the name of an authority', async () => {
  const line = await aLine(rig.ports().httpsPort);
  const trust = { serverCasPem: [rig.serverCa.certPem], client: { privateKeyPem: identity.keyPem, certificatePem: identity.certPem } };
  const { tls } = openTlsSocket({ host: '127.0.0.1', port: line.port }, trust);
  let tickets = 0;
  tls.on('session', () => (tickets += 1));
  await new Promise<void>((resolve) => tls.once('secureConnect', () => resolve()));
  tls.write('GET /root/1 HTTP/1.1\r\nHost: x\r\n\r\n');
  const [first] = await new Promise<[Buffer]>((resolve) => tls.once('data', (chunk: Buffer) => resolve([chunk])));
  // TLS 1.3 tickets come right behind the handshake, before the first answer.
  expect(line.bytes().down - first.length).toBeLessThan(850);
  expect(tickets).toBe(0);
  tls.destroy();
  line.close();
});

test('TLS 1.2 is refused', async () => {
  const error = await new Promise<Error>((resolve) => {
    connectTls({ host: '127.0.0.1', port: rig.ports().httpsPort, ca: rig.serverCa.certPem, maxVersion: 'TLSv1.2' }).on('error', resolve);
  });
  expect(String(error)).toMatch(/protocol version/);
});

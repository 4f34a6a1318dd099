/**
 * A machine in the middle of the line, and other gateways at the real broker: the home's own server runs, its agent runs, and whoever stands
 * between or beside them has no key of theirs.
 */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { modelName } from '../../protocol/fields.ts';
import { packagePath } from '../../protocol/routes.ts';
import { topicOf } from '../../protocol/topics.ts';
import { type EmulatedGateway, type Emulator, wanAddress } from '../../provider/emulator/index.ts';
import { seen } from '../../scripts/story/story.ts';
import { customers, enrollGateway, operator } from '../../scripts/story/world.ts';
import { installedOn, logOf, statusOf, trustOn } from '../support/at-the-gateway.ts';
import { aGoodPackage, entryAfter, newestSeq, stateSeen } from '../support/attack.ts';
import { aHome, appliedNotice, type Home } from '../support/home-under-attack.ts';
import { connectMqtt } from '../support/mqtt-client.ts';
import { issue, keyFile } from '../support/openssl.ts';
import { caExtensions } from '../support/provider-pki.ts';

let home: Home;
beforeAll(async () => {
  home = await aHome();
}, 90_000);
afterAll(() => home.stop(), 30_000);

const disk = () => [installedOn(home.gateway), trustOn(home.gateway)];
const serverCa = () => readFileSync(path.join(home.world.serverData, 'pki/server-ca.pem'), 'utf8');
const isOnline = async (gateway: string) => (await operator(home.world, 'gateway', 'show', gateway)).online === true;
const online = () => seen('the gateway online at the server', 40_000, async () => (await isOnline(home.id)) || undefined);

test('eavesdrop', async () => {
  const heard = Buffer.concat([home.line.https.heard(), home.line.mqtt.heard()]);
  const tsg = readFileSync(home.world.packageFile);
  expect(heard.length).toBeGreaterThan(tsg.length); // enrolment, roots, notices, reports and the package went by
  const secrets = {
    'who it is': home.id,
    'its certificate': 'CN=',
    'what is installed': 'demo.ipv4',
    topic: 'tsugite/1',
    'the package': tsg.subarray(1000, 1040),
    'a route': packagePath('' as never),
  };
  expect(Object.entries(secrets).filter(([, secret]) => heard.includes(secret))).toEqual([]);
});

test('drop-request', async () => {
  const before = installedOn(home.gateway);
  const seq = await newestSeq(home);
  for (const line of [home.line.https, home.line.mqtt]) line.become('dead');
  expect(await entryAfter(home, seq, ({ event }) => event === 'link.offline')).toMatchObject({ number: 'E403' });
  const next = path.join(home.world.folder, 'next.tsg');
  writeFileSync(next, aGoodPackage(home, 'demo.ipv4', { version: '1.0.1' }));
  await operator(home.world, 'release', 'admit', next);
  await operator(home.world, 'release', 'deploy', 'demo.ipv4', '1.0.1');
  await seen('what arrives at the operator: it is offline', 20_000, async () => ((await isOnline(home.id)) ? undefined : true));
  expect(installedOn(home.gateway)).toEqual(before);
  await stateSeen(home, 'demo.ipv4', /^running/);

  home.line.mqtt.become('passing'); // notices come through, packages do not
  await entryAfter(home, seq, ({ event }) => event === 'notice.applied', 60_000);
  expect((await statusOf(home.gateway)).software).toMatchObject([{ software: 'demo.ipv4', version: '1.0.0' }]);

  home.line.https.become('passing');
  const versionNow = async () => (await statusOf(home.gateway)).software[0];
  await seen('1.0.1 runs', 60_000, async () => ((await versionNow())?.version === '1.0.1' ? true : undefined));
  await stateSeen(home, 'demo.ipv4', /^running/);
});

test('a machine in the middle with a real other CA', async () => {
  const subject = '/CN=Tsugite server CA';
  const ca = issue({ subject, extensions: caExtensions, keyFile: keyFile('other-ca') });
  const extensions = ['basicConstraints=critical,CA:FALSE', 'extendedKeyUsage=serverAuth', `subjectAltName=IP:${wanAddress},IP:127.0.0.1`];
  const leaf = issue({ subject: `/CN=${wanAddress}`, extensions, keyFile: keyFile('other-server'), issuer: ca });
  const told: string[] = [];
  const middle = createServer(
    { cert: leaf.pem, key: readFileSync(leaf.keyFile), requestCert: true, rejectUnauthorized: false },
    (socket) => {
      told.push(socket.getPeerCertificate().subject?.CN as string);
      socket.on('error', () => {});
      socket.on('data', (bytes) => told.push(bytes.toString('latin1')));
    },
  );
  middle.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => middle.listen(0, '127.0.0.1', resolve));
  const { port } = middle.address() as AddressInfo;
  const before = installedOn(home.gateway);
  const believed = { NODE_EXTRA_CA_CERTS: ca.certFile };
  // What Node by itself would believe on that gateway: the attack is a real one.
  const script = `require('node:tls').connect(${port}, '127.0.0.1', () => process.exit(7)).on('error', () => process.exit(1))`;
  const judged = await promisify(execFile)(process.execPath, ['-e', script], { env: { ...process.env, ...believed } }).catch(
    (error) => error,
  );
  expect(judged.code).toBe(7);
  told.length = 0;

  await home.gateway.stop();
  for (const line of [home.line.https, home.line.mqtt]) line.leadTo(port);
  const seq = await newestSeq(home);
  home.gateway.start(believed);
  expect(await entryAfter(home, seq, ({ event }) => event === 'link.offline')).toMatchObject({ number: 'E404', code: 'TLS_FAILED' });
  await stateSeen(home, 'demo.ipv4', /^running/);
  expect(installedOn(home.gateway)).toEqual(before);
  expect(told).toEqual([]); // neither a certificate nor a byte

  home.line.https.leadTo(home.world.ports.https);
  home.line.mqtt.leadTo(home.world.ports.mqtt);
  await entryAfter(home, seq, ({ event }) => event === 'link.online', 60_000);
  await online();
  middle.close();
});

describe('client-id takeover', () => {
  let identity: { certPem: string; keyPem: string };
  beforeAll(async () => {
    const other = await enrollGateway(home.world, 'gw-other', 'PR-400KI', { id: 'T00000077', facts: customers.eligible.facts });
    await other.stop();
    identity = identityOf(other);
  }, 60_000);
  const connect = (clientId: string) => connectMqtt(home.world.ports.mqtt, identity, serverCa(), { clientId });

  test('with the certificate of another gateway is refused, and whose id it is stays connected', async () => {
    const [seq, before] = [await newestSeq(home), disk()];
    await expect(connect(home.id)).rejects.toMatchObject({ code: 2 }); // MQTT 3.1.1 §3.2.2.3: identifier rejected
    expect(await isOnline(home.id)).toBe(true);
    expect((await logOf(home.gateway)).filter((entry) => entry.seq > seq && entry.event === 'link.offline')).toEqual([]);
    expect(disk()).toEqual(before);
  });

  test('under its own id: it hears nothing of others, and a word in their name ends its connection', async () => {
    const [seq, before] = [await newestSeq(home), disk()];
    const client = await connect('gw-other');
    await expect(client.subscribe({ [topicOf(home.id, 'notice')]: { qos: 1 } })).rejects.toThrow();
    const again = await connect('gw-other');
    again.publish(topicOf(home.id, 'notice'), '{}', { qos: 1, retain: true }).catch(() => {});
    await again.closed();
    expect((await logOf(home.gateway)).filter((entry) => entry.seq > seq && entry.event === 'notice.refused')).toEqual([]);
    expect(disk()).toEqual(before);
    expect(client.heard).toEqual([]);
  });
});

test('an old certificate of a swapped gateway', async () => {
  const old = identityOf(home.gateway);
  const [delivered] = appliedNotice(home.gateway).targets;
  const fetchWithOld = () => statusOfGet(packagePath(delivered?.package.sha256 ?? expect.fail()), old);
  expect(await fetchWithOld()).toBe(200);
  const before = disk();
  const seq = await newestSeq(home);

  // The box is broken, they say: another one comes, and enrols under the same name.
  const invitation = path.join(home.world.folder, 'swap.json');
  await operator(home.world, 'gateway', 'invite', home.id, '--out', invitation);
  const dataDir = path.join(home.world.folder, 'gateways/gw-swap');
  const box = await (home.world.emulator as Emulator).addGateway({ gateway: 'gw-swap', model: modelName.parse('PR-400KI'), dataDir });
  await box.enroll(invitation);
  box.start();

  await entryAfter(home, seq, ({ event }) => event === 'link.offline', 40_000);
  expect(await fetchWithOld()).toBe(403);
  await expect(connectMqtt(home.world.ports.mqtt, old, serverCa(), { clientId: home.id })).rejects.toThrow();
  expect(disk()).toEqual(before);
  const installed = () => statusOf(box).then(({ software }) => software.find((one) => one.software === 'demo.ipv4')?.state);
  await seen('the new box runs what the old one ran', 40_000, async () => ((await installed())?.startsWith('running') ? true : undefined));
  await online();
});

function identityOf({ dataDir }: EmulatedGateway): { certPem: string; keyPem: string } {
  const file = (name: string) => readFileSync(path.join(dataDir, 'identity', name), 'utf8');
  return { certPem: file('certificate.pem'), keyPem: file('private-key.pem') };
}

/** Of a gateways' route, asked with that certificate. */
function statusOfGet(route: string, { certPem, keyPem }: { certPem: string; keyPem: string }): Promise<number | undefined> {
  const { https: port } = home.world.ports;
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: route, ca: serverCa(), cert: certPem, key: keyPem, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

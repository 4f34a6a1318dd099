import { execFileSync } from 'node:child_process';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import forge from 'node-forge';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { certificateRequest, makeEstClient } from '../../../agent/adapters/est-client.ts';
import { makeHousehold } from '../../../agent/adapters/household.ts';
import { makeHttpsClient } from '../../../agent/adapters/https-client.ts';
import { makeIdentityStore } from '../../../agent/adapters/identity-store.ts';
import { makeTrustStore } from '../../../agent/adapters/trust-store.ts';
import { makeEnroll } from '../../../agent/flows/enroll.ts';
import { makeRenewCertificate } from '../../../agent/flows/renew-certificate.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import { keyidOf } from '../../../protocol/dsse.ts';
import { gatewayId } from '../../../protocol/fields.ts';
import { toCompactJson } from '../../../protocol/json.ts';
import { signStatement } from '../../../protocol/signing.ts';
import { rootType } from '../../../protocol/statements/root.ts';
import { makeCertificateMaker } from '../../../server/adapters/est-crypto.ts';
import type { Authority } from '../../../server/ports.ts';
import { anAuthority } from '../../support/gateway-pki.ts';
import { anHttpsServer, type HttpsTestServer } from '../../support/https-server.ts';
import { aManualClock } from '../../support/manual-clock.ts';

const token = 'abcdefghijklmnopqrstuvwxyz';
const dayMs = 86_400_000;

let authorities: { server: Authority; device: Authority };
let rootKey: KeyObject;
let server: HttpsTestServer;
let dataDir: string;
let answers: (((response: ServerResponse) => void) | undefined)[];
let serial = 0x51;

beforeAll(async () => {
  authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  rootKey = generateKeyPairSync('ed25519').privateKey;
});
beforeEach(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'tsugite-enroll-'));
  answers = [];
  server = await anEstServer();
});
afterEach(async () => {
  await server.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** As a gateway that was used: software with data, a report that waits, choices of the household, its log. */
function leaveSomethingBehind(): string[] {
  const files = [
    'software/demo/demo.ipv4/data/household.txt',
    'outbox/1.json',
    'choices.json',
    'state.json',
    'identity/settings-password.json',
  ];
  for (const file of [...files, 'log/agent.log']) {
    mkdirSync(path.dirname(path.join(dataDir, file)), { recursive: true });
    writeFileSync(path.join(dataDir, file), 'of the household before');
  }
  return files.map((file) => path.join(dataDir, file));
}

/** Issues with the distribution server's own code; `answers` are given first, one a request. */
function anEstServer(): Promise<HttpsTestServer> {
  const maker = makeCertificateMaker(authorities.device);
  return anHttpsServer(authorities, async (_request, response, body) => {
    const special = answers.shift();
    if (special) return special(response);
    const wanted = await maker.readRequest(Buffer.from(body));
    if (wanted === undefined) return void response.writeHead(400).end();
    const nowMs = Date.now();
    const { pem } = await maker.issue({
      gateway: gatewayId.parse(wanted.commonName),
      publicKey: wanted.publicKey,
      serial: (serial++).toString(16),
      notBeforeMs: nowMs,
      notAfterMs: nowMs + 90 * dayMs,
    });
    response.writeHead(200, { 'content-type': 'application/pkcs7-mime; smime-type=certs-only' }).end(maker.certsOnly([pem]));
  });
}

function anInvitation({
  gateway = 'gw-0001',
  https = server.url,
  serverCa = authorities.server.certPem,
  signer = rootKey,
  version = 1,
} = {}): Buffer {
  const spki = createPublicKey(rootKey).export({ type: 'spki', format: 'der' }).toString('base64');
  const keyid = keyidOf(rootKey);
  const role = { keyids: [keyid], threshold: 1 };
  const root = {
    v: 1,
    version,
    issuedAt: '2026-11-22T00:00:00Z',
    expires: '2028-11-22T00:00:00Z',
    keys: { [keyid]: { type: 'ed25519', spki } },
    roles: { root: role, notice: role },
    providerCas: [],
    serverCas: [authorities.server.certPem],
    packageBases: [],
    revokedSigners: [],
  };
  return toCompactJson({
    v: 1,
    gateway,
    https,
    mqtt: 'mqtts://127.0.0.1:8883',
    token,
    serverCas: [serverCa],
    root: signStatement(rootType, root, [signer]),
  });
}

function aGateway() {
  const clock = aManualClock();
  const ledger = { charge: () => {}, chargePackage: () => {}, month: () => ({ totalBytes: 0, byPurpose: {} as never }) };
  const est = makeEstClient({ https: makeHttpsClient({ clock, ledger, wireModel, networkFaultOf }) });
  const identities = makeIdentityStore(dataDir);
  const trust = makeTrustStore(dataDir);
  const events: string[] = [];
  const log = { write: ({ event }: { event: string }) => void events.push(event) };
  const validityOf = (pem: string) => {
    const { validFrom, validTo } = new X509Certificate(pem);
    return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
  };
  return {
    enroll: makeEnroll({ est, identities, trust, household: makeHousehold(dataDir), log }),
    renew: makeRenewCertificate({ est, identities, log, validityOf }),
    identities,
    trust,
    events,
  };
}

const filesOf = (folder: string) => (existsSync(path.join(dataDir, folder)) ? readdirSync(path.join(dataDir, folder)).sort() : []);

test('an invitation makes a gateway: key and certificate of its own, root pinned, secrets for root alone', async () => {
  const gateway = aGateway();
  expect(await gateway.enroll(anInvitation())).toEqual({
    gateway: 'gw-0001',
    https: server.url,
    mqtt: 'mqtts://127.0.0.1:8883',
    rootVersion: 1,
  });
  const identity = gateway.identities.load();
  const certificate = new X509Certificate(identity?.certificatePem ?? '');
  expect(certificate.subject).toBe('CN=gw-0001');
  expect(certificate.checkPrivateKey(createPrivateKey(identity?.privateKeyPem ?? ''))).toBe(true);
  expect(filesOf('identity')).toEqual(['certificate.pem', 'private-key.pem', 'server.json']);
  expect(statSync(path.join(dataDir, 'identity')).mode & 0o777).toBe(0o700);
  for (const file of filesOf('identity')) expect(statSync(path.join(dataDir, 'identity', file)).mode & 0o777).toBe(0o600);
  expect([...gateway.trust.loadRoots().keys()]).toEqual([1]);
  expect(gateway.events).toEqual(['gateway.enrolled']);
});

test('the request is EST as RFC 7030 has it: Basic authentication, base64 PKCS #10, no client certificate', async () => {
  await aGateway().enroll(anInvitation());
  expect(server.asked).toHaveLength(1);
  expect(server.asked[0]).toMatchObject({
    method: 'POST',
    path: '/.well-known/est/simpleenroll',
    clientCn: undefined,
    headers: { 'content-type': 'application/pkcs10', authorization: `Basic ${Buffer.from(`gw-0001:${token}`).toString('base64')}` },
  });
});

test('openssl reads our certificate request and finds its signature good', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const file = path.join(dataDir, 'request.der');
  writeFileSync(file, certificateRequest(forge, 'gw-0001', privateKey));
  const said = execFileSync('openssl', ['req', '-inform', 'DER', '-in', file, '-verify', '-noout', '-subject'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  expect(said.toString().trim()).toMatch(/^(subject=|Subject: )CN ?= ?gw-0001$/m);
});

describe('doing it again', () => {
  test('after an answer that was lost, the same key asks again', async () => {
    answers = [(response) => void response.destroy()];
    await expect(aGateway().enroll(anInvitation())).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(filesOf('identity')).toEqual(['private-key.pem']);
    const key = readFileSync(path.join(dataDir, 'identity/private-key.pem'), 'utf8');
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    expect(gateway.identities.load()?.privateKeyPem).toBe(key);
  });

  test('a new invitation for the same gateway keeps what was learned since, and the key', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    const key = gateway.identities.load()?.privateKeyPem;
    gateway.trust.saveClock({ rootVersion: 1, floor: { rootMs: 1, noticeMs: 2 } });
    await gateway.enroll(anInvitation());
    expect(gateway.identities.load()?.privateKeyPem).toBe(key);
    expect(gateway.trust.loadClock()).toBeDefined();
  });

  test('under another identity everything of the one before is erased first, and the key is another', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    const key = gateway.identities.load()?.privateKeyPem;
    const left = leaveSomethingBehind();

    await gateway.enroll(anInvitation({ gateway: 'gw-0002' }));

    expect(gateway.identities.load()).toMatchObject({ gateway: 'gw-0002' });
    expect(gateway.identities.load()?.privateKeyPem).not.toBe(key);
    expect(left.filter((file) => existsSync(file))).toEqual([]);
    expect(existsSync(path.join(dataDir, 'log/agent.log'))).toBe(true);
    expect(gateway.trust.loadClock()).toBeUndefined();
    expect(gateway.events).toContain('agent.identity_changed');
  });

  test('an identity that the server refuses costs the one before nothing', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    const left = leaveSomethingBehind();
    answers.push((response) => void response.writeHead(401).end());

    await expect(gateway.enroll(anInvitation({ gateway: 'gw-0002' }))).rejects.toMatchObject({ code: 'ENROLL_TOKEN_REFUSED' });

    expect(gateway.identities.load()).toMatchObject({ gateway: 'gw-0001' });
    expect(left.filter((file) => !existsSync(file))).toEqual([]);
  });

  test('a key that its certificate does not fit counts as not enrolled', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    writeFileSync(path.join(dataDir, 'identity/certificate.pem'), authorities.device.certPem);
    expect(gateway.identities.load()).toBeUndefined();
  });
});

describe('a refused invitation changes nothing on disk', () => {
  test.each([
    { status: 401, code: 'ENROLL_TOKEN_REFUSED' },
    { status: 400, code: 'ENROLL_REQUEST_REFUSED' },
    { status: 429, code: 'ENROLL_TRIES_EXCEEDED' },
    { status: 403, code: 'GATEWAY_BLOCKED' },
  ])('$status: $code', async ({ status, code }) => {
    answers = [(response) => void response.writeHead(status).end()];
    await expect(aGateway().enroll(anInvitation())).rejects.toMatchObject({ code });
    expect(filesOf('identity')).toEqual([]);
    expect(filesOf('trust')).toEqual([]);
  });

  test('E403: nobody listens', async () => {
    await expect(aGateway().enroll(anInvitation({ https: 'https://127.0.0.1:9' }))).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    expect(filesOf('identity')).toEqual([]);
  });

  test('E403: a door takes the connection, and no server stands behind it', async () => {
    const door = createServer((socket) => void socket.on('error', () => {}).destroy());
    await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
    const https = `https://127.0.0.1:${(door.address() as { port: number }).port}`;
    await expect(aGateway().enroll(anInvitation({ https }))).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
    door.close();
  });

  test('E404: the server is not the one that the invitation pins; no token was sent', async () => {
    await expect(aGateway().enroll(anInvitation({ serverCa: authorities.device.certPem }))).rejects.toMatchObject({ code: 'TLS_FAILED' });
    expect(server.asked).toEqual([]);
    expect(filesOf('identity')).toEqual([]);
  });

  test('a root that its own keys did not sign is refused before anything is asked', async () => {
    const stranger = generateKeyPairSync('ed25519').privateKey;
    await expect(aGateway().enroll(anInvitation({ signer: stranger }))).rejects.toMatchObject({ number: 'E202' });
    expect(server.asked).toEqual([]);
  });

  test('a certificate for another key or another name is refused', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const maker = makeCertificateMaker(authorities.device);
    const issue = (name: string) =>
      maker.issue({
        gateway: gatewayId.parse(name),
        publicKey: createPublicKey(other),
        serial: '77',
        notBeforeMs: 0,
        notAfterMs: Date.now() + dayMs,
      });
    const { pem } = await issue('gw-0001');
    answers = [(response) => void response.end(maker.certsOnly([pem])), (response) => void response.end('AAAA')];
    for (const fault of ['not for our key', 'not a certs-only PKCS #7'])
      await expect(aGateway().enroll(anInvitation())).rejects.toMatchObject({ code: 'MESSAGE_MALFORMED', detail: { faults: [{ fault }] } });
    expect(filesOf('trust')).toEqual([]);
  });
});

describe('renewal', () => {
  test('is due when two thirds of the life are over, and asks with the present certificate', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    const before = gateway.identities.load();
    expect(await gateway.renew(Date.now() + 59 * dayMs)).toBe(false);
    expect(await gateway.renew(Date.now() + 61 * dayMs)).toBe(true);
    const after = gateway.identities.load();
    expect(after?.certificatePem).not.toBe(before?.certificatePem);
    expect(after?.privateKeyPem).toBe(before?.privateKeyPem);
    expect(server.asked[1]).toMatchObject({ path: '/.well-known/est/simplereenroll', clientCn: 'gw-0001' });
  });

  test('shows the new certificate to the server once it is kept, so that the old one ends; unheard, it is renewed all the same', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    expect(await gateway.renew(Date.now() + 61 * dayMs)).toBe(true);
    const serialOf = (pem = '') => new X509Certificate(pem).serialNumber;
    expect(server.asked[2]).toMatchObject({
      method: 'GET',
      path: '/.well-known/est/cacerts',
      clientSerial: serialOf(gateway.identities.load()?.certificatePem),
    });
    const before = gateway.identities.load();
    answers = [undefined, (response) => void response.destroy()];
    expect(await gateway.renew(Date.now() + 122 * dayMs)).toBe(true);
    expect(gateway.identities.load()?.certificatePem).not.toBe(before?.certificatePem);
    expect(gateway.events).toEqual(['gateway.enrolled', 'certificate.renewed', 'certificate.renewed']);
  });

  test('that fails keeps the present certificate and says why', async () => {
    const gateway = aGateway();
    await gateway.enroll(anInvitation());
    const before = gateway.identities.load();
    answers = [(response) => void response.writeHead(403).end()];
    expect(await gateway.renew(Date.now() + 61 * dayMs)).toBe(false);
    expect(gateway.identities.load()).toEqual(before);
    expect(gateway.events).toEqual(['gateway.enrolled', 'certificate.renewal_failed']);
  });
});

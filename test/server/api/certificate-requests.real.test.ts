import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { keyidOf } from '../../../protocol/dsse.ts';
import { keyFile, openssl } from '../../support/openssl.ts';
import { aPeopleSide, type PeopleSideRig, type Reply } from '../../support/people-side.ts';

let rig: PeopleSideRig;
let provider: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('other');
});
afterAll(() => rig.stop());
beforeEach(async () => {
  names += 1;
  provider = `acme-${names}`;
  rig.clock.offsetMs = 0;
  await rig.aProvider(provider, { name: '株式会社アクメ' });
});

let keys = 0;
/** For a key of its own each time (made once a run: RSA keys take a while). */
function requestOf(id = provider, name = '株式会社アクメ'): string {
  keys = (keys + 1) % 12;
  const san = `subjectAltName=URI:urn:tsugite:provider:${id}`;
  return openssl(['req', '-new', '-utf8', '-key', keyFile(`asks-${keys}`), '-subj', `/O=${name}`, '-addext', san]).toString();
}
const own = (method: 'GET' | 'POST', url: string, body?: object) => rig.ask(`provider:${provider}`, method, url, body);
const ask = (csr = requestOf()) => own('POST', '/certificate-requests', { csr });
const decide = (reply: Reply, verb: 'issue' | 'refuse', body: object, who = 'operator') =>
  rig.ask(who, 'POST', `/certificate-requests/${reply.body.request}/${verb}`, body);
const certificates = async () => (await rig.ask('operator', 'GET', `/providers/${provider}/certificates`)).body.items as unknown[];

describe('a request', () => {
  test('waits for the operator, and gives its certificate to the provider once the key id that it read out was named', async () => {
    const asked = await ask();
    expect([asked.status, asked.body]).toMatchObject([
      201,
      { provider, state: 'WAITING', organisation: '株式会社アクメ', chain: null, subjectKeyid: expect.stringMatching(/^sha256:/) },
    ]);
    expect(await certificates()).toEqual([]);
    expect((await decide(asked, 'issue', { keyid: asked.body.subjectKeyid })).body).toMatchObject({ state: 'ISSUED' });
    const { body } = await own('GET', `/certificate-requests/${asked.body.request}`);
    const leaf = new X509Certificate(String(body.chain));
    expect(keyidOf(leaf.publicKey)).toBe(asked.body.subjectKeyid);
    expect(leaf.subjectAltName).toBe(`URI:urn:tsugite:provider:${provider}`);
    expect(await certificates()).toHaveLength(1);
  });

  test('of a thief who has the provider’s token gets nothing: the operator names another key id', async () => {
    const [theirs, stolen] = [await ask(), await ask()];
    expect(await decide(stolen, 'issue', { keyid: theirs.body.subjectKeyid })).toMatchObject({
      status: 422,
      body: { number: 'E725', context: { expected: theirs.body.subjectKeyid, found: stolen.body.subjectKeyid } },
    });
    expect((await decide(stolen, 'issue', { keyid: stolen.body.subjectKeyid }, `provider:${provider}`)).status).toBe(403);
    expect((await rig.ask(`provider:${provider}`, 'POST', `/providers/${provider}/certificates`, { csr: requestOf() })).status).toBe(403);
    expect(await certificates()).toEqual([]);
    expect((await decide(stolen, 'refuse', { reason: 'not theirs' })).body).toMatchObject({ state: 'REFUSED', refuseReason: 'not theirs' });
    expect((await own('GET', '/certificate-requests?state=REFUSED')).body.items).toMatchObject([{ refuseReason: 'not theirs' }]);
  });

  test('for the same key again is the same request; decided, it is decided', async () => {
    const csr = requestOf();
    const asked = await ask(csr);
    expect((await ask(csr)).body.request).toBe(asked.body.request);
    const keyid = { keyid: asked.body.subjectKeyid };
    const [one, two] = await Promise.all([decide(asked, 'issue', keyid), decide(asked, 'issue', keyid)]);
    expect([one.status, two.status].sort()).toEqual([200, 409]);
    expect(await certificates()).toHaveLength(1);
    expect(await decide(asked, 'refuse', { reason: 'late' })).toMatchObject({ status: 409 });
    expect((await ask(csr)).body).toMatchObject({ state: 'WAITING' }); // a renewal
  });

  test.each([
    ['of another provider', 'SIGNER_NOT_PROVIDER', () => requestOf('other')],
    ['under another name', 'SIGNER_NOT_PROVIDER', () => requestOf(provider, '株式会社ナリスマシ')],
    ['that is none', 'KEY_UNUSABLE', () => '-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----'],
    ['whose signature is broken', 'KEY_UNUSABLE', () => broken(requestOf())],
  ])('%s is refused at once: %s', async (_, code, csr) => {
    expect((await ask(csr())).body.code).toBe(code);
    expect((await own('GET', '/certificate-requests')).body.items).toEqual([]);
  });

  test('is seen by its provider and the operator only', async () => {
    const asked = await ask();
    const url = `/certificate-requests/${asked.body.request}`;
    expect((await rig.ask('provider:other', 'GET', url)).status).toBe(404);
    expect((await rig.ask('provider:other', 'GET', '/certificate-requests')).body.items).toEqual([]);
    for (const who of ['technician', 'viewer']) expect((await rig.ask(who, 'GET', url)).status).toBe(403);
    expect((await rig.ask('operator', 'GET', url)).body).toMatchObject({ provider });
    expect((await rig.ask('operator', 'POST', '/certificate-requests', { csr: requestOf() })).status).toBe(403);
  });

  test('five wait at most, and none longer than a month', async () => {
    const keys = await Promise.all(Array.from({ length: 6 }, async () => (await ask()).status));
    expect(keys.sort()).toEqual([201, 201, 201, 201, 201, 409]);
    rig.clock.offsetMs = 31 * 86_400_000;
    await rig.housekeeping.tidy();
    expect((await own('GET', '/certificate-requests?state=WAITING')).body.items).toEqual([]);
    expect((await ask()).status).toBe(201);
  });
});

function broken(pem: string): string {
  const at = pem.lastIndexOf('\n-----END') - 40;
  return pem.slice(0, at) + (pem[at] === 'A' ? 'B' : 'A') + pem.slice(at + 1);
}

import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayId } from '../../../protocol/fields.ts';
import { est } from '../../../protocol/routes.ts';
import { anAuthority, anIdentity, aRequest, certificateIn, requestWith } from '../../support/gateway-pki.ts';
import { type Answer, aGatewaySide, type ClientIdentity, fronts, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt } from '../../support/mqtt-client.ts';

describe.each(fronts)('enrolment through %s', (front) => {
  const dayMs = 86_400_000;
  let rig: GatewaySideRig;
  let gateway: GatewayId;
  let names = 0;

  beforeAll(async () => {
    rig = await aGatewaySide({ front });
  });
  afterAll(() => rig.stop());
  beforeEach(async () => {
    rig.clock.offsetMs = 0;
    names += 1;
    ({ gateway } = await rig.aGateway(`gw-enrol-${String(names).padStart(4, '0')}`));
  });

  const basic = (name: string, token: string) => `Basic ${Buffer.from(`${name}:${token}`).toString('base64')}`;

  function enrol(token: string, body: string | Buffer, name: string = gateway): Promise<Answer> {
    return rig.ask('POST', est.simpleenroll, {
      headers: { authorization: basic(name, token), 'content-type': 'application/pkcs10' },
      body,
    });
  }

  function renew(as: ClientIdentity, body: string): Promise<Answer> {
    return rig.ask('POST', est.simplereenroll, { as, headers: { 'content-type': 'application/pkcs10' }, body });
  }

  async function enrolled(): Promise<ClientIdentity & { serial: string }> {
    const request = await aRequest(gateway);
    const answer = await enrol(await rig.invite(gateway), request.base64);
    expect(answer.status).toBe(200);
    return { keyPem: request.keyPem, ...certificateIn(answer.body.toString()) };
  }

  async function connects(identity: ClientIdentity): Promise<boolean> {
    try {
      const client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway });
      await client.end();
      return true;
    } catch {
      return false;
    }
  }

  const problem = (answer: Answer) => JSON.parse(answer.body.toString()) as { status: number; code: string; number: string };

  describe('simpleenroll', () => {
    test('a token and a P-256 request become a client certificate for 90 days, signed by the device CA', async () => {
      const request = await aRequest(gateway);
      const answer = await enrol(await rig.invite(gateway), request.base64);
      expect(answer.headers['content-type']).toBe('application/pkcs7-mime; smime-type=certs-only');
      const certificate = new X509Certificate(certificateIn(answer.body.toString()).certPem);
      expect(certificate.subject).toBe(`CN=${gateway}`);
      expect(certificate.verify(new X509Certificate(rig.deviceCa.certPem).publicKey)).toBe(true);
      expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
      expect(certificate.ca).toBe(false);
      expect(Math.round((Date.parse(certificate.validTo) - Date.now()) / dayMs)).toBe(90);
    });

    test('a request in lines of 64, as openssl and curl send it, is the same request', async () => {
      const { base64 } = await aRequest(gateway);
      expect((await enrol(await rig.invite(gateway), base64.replace(/(.{64})/g, '$1\r\n'))).status).toBe(200);
    });

    test('a wrong token is 401, and so are an unknown gateway, a name that is none, and no credentials at all', async () => {
      const { base64 } = await aRequest(gateway);
      const token = await rig.invite(gateway);
      const answers = [
        await enrol('a'.repeat(26), base64),
        await enrol(token, base64, 'gw-nobody-0001'),
        await enrol(token, base64, '../etc/passwd'),
        await rig.ask('POST', est.simpleenroll, { body: base64 }),
        await rig.ask('POST', est.simpleenroll, { body: base64, headers: { authorization: 'Bearer x' } }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
      expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
      expect(problem(answers[0] as Answer)).toMatchObject({ status: 401, code: 'ENROLL_TOKEN_REFUSED', number: 'E408' });
      expect(answers[0]?.headers['www-authenticate']).toMatch(/^Basic realm=/);
    });

    test('a token is good for 24 hours', async () => {
      const { base64 } = await aRequest(gateway);
      const token = await rig.invite(gateway);
      rig.clock.offsetMs = dayMs + 1_000;
      expect((await enrol(token, base64)).status).toBe(401);
    });

    test('an earlier invitation is void once there is a newer one', async () => {
      const { base64 } = await aRequest(gateway);
      const first = await rig.invite(gateway);
      rig.clock.offsetMs = 5;
      await rig.invite(gateway);
      expect((await enrol(first, base64)).status).toBe(401);
    });

    test('until its first connect the same public key gets a certificate again, another one does not', async () => {
      const token = await rig.invite(gateway);
      const { base64, keyPem } = await aRequest(gateway);
      expect((await enrol(token, base64)).status).toBe(200);
      expect((await enrol(token, await requestWith(keyPem, gateway))).status).toBe(200);
      expect((await enrol(token, (await aRequest(gateway)).base64)).status).toBe(401);
    });

    test('the first mTLS connect spends the token', async () => {
      const token = await rig.invite(gateway);
      const { base64, keyPem } = await aRequest(gateway);
      const { certPem } = certificateIn((await enrol(token, base64)).body.toString());
      expect(await connects({ certPem, keyPem })).toBe(true);
      expect((await enrol(token, base64)).status).toBe(401);
    });

    test.each([
      ['no base64', async () => '%%%'],
      ['base64 of something else', async () => Buffer.from('hello').toString('base64')],
      ['an empty body', async () => ''],
      ['another CN', async () => (await aRequest('gw-other-0001')).base64],
      ['a key that is not P-256', async () => (await aRequest(gateway, { curve: 'P-384' })).base64],
      ['a broken signature', async () => damaged((await aRequest(gateway)).base64)],
    ])('%s is 400 and counts as a try', async (_name, body) => {
      const token = await rig.invite(gateway);
      const answer = await enrol(token, await body());
      expect(answer.status).toBe(400);
      expect(problem(answer)).toMatchObject({ code: 'ENROLL_REQUEST_REFUSED', number: 'E410' });
      expect(await rig.db.query('SELECT wrong_tries FROM invitations WHERE gateway_id = $1', [gateway])).toEqual([{ wrong_tries: 1 }]);
    });

    test('after five wrong tries the invitation is void: 429, with the right token too', async () => {
      const token = await rig.invite(gateway);
      const { base64 } = await aRequest(gateway);
      const statuses = [];
      for (const letter of ['b', 'c', 'd', 'e']) statuses.push((await enrol(letter.repeat(26), base64)).status);
      statuses.push((await enrol(token, 'rubbish')).status);
      const last = await enrol(token, base64);
      expect([...statuses, last.status]).toEqual([401, 401, 401, 401, 400, 429]);
      expect(problem(last)).toMatchObject({ code: 'ENROLL_TRIES_EXCEEDED', number: 'E409' });
    });

    test('a blocked gateway is 403', async () => {
      const token = await rig.invite(gateway);
      await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
      expect(problem(await enrol(token, (await aRequest(gateway)).base64))).toMatchObject({ status: 403, code: 'GATEWAY_BLOCKED' });
    });

    test('a body above 16 KiB is refused before it is read', async () => {
      expect((await enrol(await rig.invite(gateway), 'A'.repeat(20_000))).status).toBe(413);
    });
  });

  describe('simplereenroll', () => {
    test('the current certificate gets its successor; the older one is cut off at the first use of the newer, not before', async () => {
      const first = await enrolled();
      expect(await connects(first)).toBe(true);
      const next = await aRequest(gateway);
      rig.clock.offsetMs = dayMs / 2; // OpenSSL's own clock does not move, so no further
      const second = { keyPem: next.keyPem, ...certificateIn((await renew(first, next.base64)).body.toString()) };
      expect(await connects(first)).toBe(true); // the answer could have been lost
      expect(await connects(second)).toBe(true);
      expect(await connects(first)).toBe(false);
      expect((await renew(first, (await aRequest(gateway)).base64)).status).toBe(403);
    });

    test('an expired certificate renews itself for 1,095 days, and is good for nothing else', async () => {
      const identity = await enrolled();
      rig.clock.offsetMs = (90 + 1_094) * dayMs;
      const { status } = await rig.ask('GET', `/packages/${'0'.repeat(64)}`, { as: identity });
      expect(status).toBe(403);
      expect((await renew(identity, (await aRequest(gateway)).base64)).status).toBe(200);
      rig.clock.offsetMs = (90 + 1_096) * dayMs;
      expect((await renew(identity, (await aRequest(gateway)).base64)).status).toBe(403);
    });

    test('one that has expired in the eyes of OpenSSL too is let in', async () => {
      const old = await anIdentity(rig.deviceCa, gateway, { notBeforeMs: 0, notAfterMs: Date.now() - dayMs });
      await rig.db.query(
        `INSERT INTO gateway_certificates (serial, gateway_id, subject_keyid, not_before, not_after, issued_at)
       VALUES ($1, $2, $3, '1970-01-01', $4, '2020-01-01')`,
        [old.serial, gateway, `sha256:${'44'.repeat(32)}`, new Date(Date.now() - dayMs)],
      );
      expect((await renew(old, (await aRequest(gateway)).base64)).status).toBe(200);
    });

    test('no certificate, one of another CA, one that we never issued, and a blocked gateway are 403', async () => {
      const { base64 } = await aRequest(gateway);
      const identity = await enrolled();
      const foreign = await anIdentity(await anAuthority('somebody else'), gateway, { serial: identity.serial });
      const neverIssued = await anIdentity(rig.deviceCa, gateway);
      // The CA's name, its key identifier and a serial that we did issue, under a signature of somebody else's key.
      const forged = await anIdentity({ ...rig.deviceCa, key: (await anAuthority('forger')).key }, gateway, { serial: identity.serial });
      const statuses = [
        (await rig.ask('POST', est.simplereenroll, { body: base64 })).status,
        (await renew(foreign, base64)).status,
        (await renew(neverIssued, base64)).status,
        (await renew(forged, base64)).status,
      ];
      await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
      const blocked = await renew(identity, base64);
      expect([...statuses, blocked.status]).toEqual([403, 403, 403, 403, 403]);
      expect(problem(blocked).code).toBe('GATEWAY_BLOCKED');
    });

    test('a gateway that asks without end keeps its certificate in use and the newest eight of the others', async () => {
      const identity = await enrolled();
      expect(await connects(identity)).toBe(true);
      const next = await aRequest(gateway);
      let newest = '';
      for (let asked = 0; asked < 12; asked += 1) newest = certificateIn((await renew(identity, next.base64)).body.toString()).certPem;
      expect(await rig.db.query('SELECT 1 FROM gateway_certificates WHERE gateway_id = $1', [gateway])).toHaveLength(9);
      expect(await connects({ certPem: newest, keyPem: next.keyPem })).toBe(true);
    });

    test('another CN is 400', async () => {
      expect((await renew(await enrolled(), (await aRequest('gw-other-0001')).base64)).status).toBe(400);
    });
  });

  test('cacerts gives the device CA and the server CA to everybody', async () => {
    const answer = await rig.ask('GET', est.cacerts);
    expect([answer.status, answer.headers['content-type'], answer.headers['content-transfer-encoding']]).toEqual([
      200,
      'application/pkcs7-mime',
      'base64',
    ]);
    expect(certificateIn(answer.body.toString()).certPem).toBe(rig.deviceCa.certPem);
  });
});

function damaged(base64: string): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return bytes.toString('base64');
}

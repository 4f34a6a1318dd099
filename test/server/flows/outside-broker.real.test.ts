/** The gateways' side behind a mosquitto: what only the database can tell, several server processes, certificates that end. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { est } from '../../../protocol/routes.ts';
import { type TopicKind, topicOf } from '../../../protocol/topics.ts';
import { makeCrlMaker } from '../../../server/adapters/device-crl.ts';
import { makeDeviceCrl } from '../../../server/flows/device-crl.ts';
import type { GatewaySide, Log } from '../../../server/ports.ts';
import { aBirth } from '../../support/birth.ts';
import { aRequest, certificateIn, requestWith } from '../../support/gateway-pki.ts';
import { aGatewaySide, type GatewaySideRig, type LogLine } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

const patience = { timeout: 15_000, interval: 20 };
const epoch = 'a'.repeat(32);
type Identity = { certPem: string; keyPem: string; serial: string };

let rig: GatewaySideRig;
let gateway: GatewayId;
let site: RandomId;
let names = 0;
const clients: TestClient[] = [];

beforeAll(async () => {
  rig = await aGatewaySide({ broker: 'mosquitto' });
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  rig.lines.length = 0;
  names += 1;
  ({ gateway, site } = await rig.aGateway(`gw-outside-${String(names).padStart(4, '0')}`));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.client.end(true);
});

const own = (kind: TopicKind): string => topicOf(gateway, kind);
const logged = (event: string, lines: LogLine[] = rig.lines) => lines.filter((line) => line.event === event);
const basic = (token: string) => `Basic ${Buffer.from(`${gateway}:${token}`).toString('base64')}`;
const pkcs10 = { 'content-type': 'application/pkcs10' };

async function enrol(token: string, base64: string, keyPem: string): Promise<Identity | number> {
  const answer = await rig.ask('POST', est.simpleenroll, { headers: { ...pkcs10, authorization: basic(token) }, body: base64 });
  return answer.status === 200 ? { keyPem, ...certificateIn(answer.body.toString()) } : answer.status;
}
async function enrolled(): Promise<Identity> {
  const { base64, keyPem } = await aRequest(gateway);
  return (await enrol(await rig.invite(gateway), base64, keyPem)) as Identity;
}
async function renewed(identity: Identity, keyPem = identity.keyPem): Promise<Identity> {
  const answer = await rig.ask('POST', est.simplereenroll, { as: identity, headers: pkcs10, body: await requestWith(keyPem, gateway) });
  return { keyPem, ...certificateIn(answer.body.toString()) };
}
async function aClient(identity: Identity, options: Parameters<typeof connectMqtt>[3] = {}): Promise<TestClient> {
  const client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway, clean: false, ...options });
  clients.push(client);
  return client;
}
const born = (client: TestClient, more: object = {}) => client.publish(own('presence'), aBirth(more), { retain: true });
const report = (seq: number) => JSON.stringify({ v: 1, epoch, seq, at: '2026-11-22T00:00:00Z', kind: 'start' });
const says = (client: TestClient, seq: number) => client.publish(own('report'), report(seq));
const seqs = async () =>
  (await rig.db.query<{ seq: number }>('SELECT seq FROM reports WHERE gateway_id = $1 ORDER BY seq', [gateway])).map(({ seq }) => seq);
const isOnline = async () => (await rig.db.query<{ online: boolean }>('SELECT online FROM gateways WHERE id = $1', [gateway]))[0]?.online;
const markOf = async () =>
  (await rig.db.query<{ up_to: number }>('SELECT up_to FROM report_marks WHERE gateway_id = $1', [gateway]))[0]?.up_to;
const usedOf = async ({ serial }: Identity) =>
  (
    await rig.db.query<{ used: boolean; cut: boolean }>(
      'SELECT first_used_at IS NOT NULL AS used, cut_off_at IS NOT NULL AS cut FROM gateway_certificates WHERE serial = $1',
      [serial],
    )
  )[0];

describe('certificates', () => {
  test('the first birth spends the token, though the broker does not say which certificate it saw', async () => {
    const token = await rig.invite(gateway);
    const { base64, keyPem } = await aRequest(gateway);
    const first = (await enrol(token, base64, keyPem)) as Identity;
    const second = (await enrol(token, await requestWith(keyPem, gateway), keyPem)) as Identity;
    // The answer to the second request was lost: the gateway holds the first.
    await born(await aClient(first));
    await vi.waitFor(async () => expect(await usedOf(first)).toEqual({ used: true, cut: false }), patience);
    expect(await enrol(token, base64, keyPem)).toBe(401);
    expect(await usedOf(second)).toEqual({ used: false, cut: false });
    await born(await aClient(second), { bootId: 'c'.repeat(32) });
  });

  test('a birth after a renewal cuts off nothing; showing the new certificate by HTTPS ends the old one and its connection', async () => {
    const old = await enrolled();
    const client = await aClient(old);
    await born(client);
    await vi.waitFor(async () => expect(await usedOf(old)).toEqual({ used: true, cut: false }), patience);
    const fresh = await renewed(old);
    await born(await aClient(old), { bootId: 'c'.repeat(32) });
    await vi.waitFor(
      async () => expect(await rig.db.query("SELECT 1 FROM gateways WHERE id = $1 AND boot_id LIKE 'c%'", [gateway])).toHaveLength(1),
      patience,
    );
    expect(await usedOf(old)).toEqual({ used: true, cut: false });

    expect((await rig.ask('GET', est.cacerts, { as: fresh })).status).toBe(200);
    expect(await usedOf(old)).toEqual({ used: true, cut: true });
    expect(await usedOf(fresh)).toEqual({ used: true, cut: false });
    await clients.at(-1)?.closed();
  });

  test('a blocked gateway’s certificates stand in the list at once; the broker refuses them from its reload on', async () => {
    const crl = makeDeviceCrl({ db: rig.db, clock: rig.clock, crls: makeCrlMaker(rig.deviceCa) });
    const identity = await enrolled();
    await born(await aClient(identity));
    const before = await crl();
    expect(await crl()).toEqual(before);
    await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
    const blocked = await crl();
    expect([blocked.number, blocked.revoked]).toEqual([before.number + 1, before.revoked + 1]);
    rig.mosquitto?.revoke(blocked.pem);
    // In TLS 1.3 a client learns it with the first byte that it reads.
    await vi.waitFor(() => expect(aClient(identity)).rejects.toThrow(/revoked/), patience);

    await rig.db.query('UPDATE gateways SET blocked_at = NULL, block_reason = NULL WHERE id = $1', [gateway]);
    const unblocked = await crl();
    expect([unblocked.number, unblocked.revoked]).toEqual([blocked.number + 1, before.revoked]);
    rig.mosquitto?.revoke(unblocked.pem);
    await vi.waitFor(() => aClient(identity), patience);
  });

  test('the certificate of a key that a new enrolment has replaced stands in the list at once', async () => {
    const crl = makeDeviceCrl({ db: rig.db, clock: rig.clock, crls: makeCrlMaker(rig.deviceCa) });
    const old = await enrolled();
    await born(await aClient(old));
    await vi.waitFor(async () => expect((await usedOf(old))?.used).toBe(true), patience);
    rig.clock.offsetMs = 1_000;
    const fresh = await enrolled();
    const before = await crl();
    await rig.ask('GET', est.cacerts, { as: fresh });
    expect(await usedOf(old)).toEqual({ used: true, cut: true });
    expect((await crl()).revoked).toBe(before.revoked + 1);
  });

  test('a renewed certificate’s predecessor is listed with the others of its day', async () => {
    const crl = makeDeviceCrl({ db: rig.db, clock: rig.clock, crls: makeCrlMaker(rig.deviceCa) });
    const old = await enrolled();
    await born(await aClient(old));
    await vi.waitFor(async () => expect((await usedOf(old))?.used).toBe(true), patience);
    const fresh = await renewed(old);
    const before = await crl();
    await rig.ask('GET', est.cacerts, { as: fresh });
    expect(await crl()).toEqual(before);
    rig.clock.offsetMs = 86_400_000 + 1_000;
    expect((await crl()).revoked).toBe(before.revoked + 1);
  });
});

describe('who is heard', () => {
  test('a blocked gateway that the broker still lets in is not heard, and put out', async () => {
    const identity = await enrolled();
    const client = await aClient(identity);
    await born(client);
    await vi.waitFor(async () => expect(await isOnline()).toBe(true), patience);
    await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
    await says(client, 1);
    await client.closed();
    expect(logged('message.from_unwelcome')).toMatchObject([{ gateway, what: 'report', why: 'blocked', number: 'E411' }]);
    const again = await aClient(identity);
    await born(again);
    await again.closed();
    expect([
      await seqs(),
      await rig.db.query('SELECT 1 FROM gateways WHERE id = $1 AND online AND last_seen_at > blocked_at', [gateway]),
    ]).toEqual([[], []]);
  });

  test('nor is one of which no certificate is in force', async () => {
    const identity = await enrolled();
    await rig.db.query('UPDATE gateway_certificates SET cut_off_at = now() WHERE gateway_id = $1', [gateway]);
    const client = await aClient(identity);
    await says(client, 1);
    await client.closed();
    expect(logged('message.from_unwelcome')).toMatchObject([{ gateway, why: 'no certificate in force', number: 'E418' }]);
    expect(await seqs()).toEqual([]);
  });
});

describe('reports', () => {
  test('a number that was never used holds the mark until the gateway has sent the next one again, two minutes later', async () => {
    const client = await aClient(await enrolled());
    await client.subscribe({ [own('ack')]: { qos: 0 } });
    await says(client, 3);
    await vi.waitFor(async () => expect(await seqs()).toEqual([3]), patience);
    expect(await markOf()).toBe(0);
    await says(client, 4);
    await vi.waitFor(async () => expect(await seqs()).toEqual([3, 4]), patience);
    await says(client, 3); // too soon: a broker that repeats would look the same
    await says(client, 5);
    await vi.waitFor(async () => expect(await seqs()).toEqual([3, 4, 5]), patience);
    expect(await markOf()).toBe(0);
    rig.clock.offsetMs = 2 * 60_000;
    await says(client, 3);
    await client.hears(own('ack'), (payload) => payload.toString() === `{"v":1,"epoch":"${epoch}","upTo":5}`);
  });

  test('what the database would not take is not acknowledged to the gateway, and not jumped over', async () => {
    const client = await aClient(await enrolled());
    await rig.db.query('ALTER TABLE reports RENAME TO reports_away');
    await says(client, 1);
    await vi.waitFor(() => expect(logged('message.not_stored')).toHaveLength(1), patience);
    await rig.db.query('ALTER TABLE reports_away RENAME TO reports');
    await says(client, 2);
    await vi.waitFor(async () => expect(await seqs()).toEqual([2]), patience);
    expect(await markOf()).toBe(0); // 1 is outstanding, and stays so until it comes
    await says(client, 1);
    await vi.waitFor(async () => expect(await markOf()).toBe(2), patience);
  });
});

describe('a birth that was retained', () => {
  const restartServer = async () => {
    rig.lines.length = 0;
    await rig.restart();
    await vi.waitFor(() => expect(logged('broker.notices_compared')).toHaveLength(1), patience);
  };

  test('and heard before is not answered again when the server comes back; who has gone meanwhile is offline', async () => {
    await rig.aTarget(site);
    await rig.wake(gateway);
    const client = await aClient(await enrolled());
    await client.subscribe({ [own('notice')]: { qos: 1 }, [own('ack')]: { qos: 0 } });
    await born(client);
    await says(client, 1);
    await client.hears(own('ack')); // it goes the same way as the notices before it
    const noticesHeard = () => client.heard.filter(({ topic }) => topic === own('notice')).length;
    const before = noticesHeard();
    expect(before).toBeGreaterThan(0);
    const gone = await rig.aGateway(`${gateway}-gone`);
    await rig.db.query('UPDATE gateways SET online = true WHERE id = $1', [gone.gateway]);
    await restartServer();
    await vi.waitFor(
      async () =>
        expect(await rig.db.query('SELECT id FROM gateways WHERE online AND id LIKE $1', [`${gateway}%`])).toEqual([{ id: gateway }]),
      patience,
    );
    await says(client, 2);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":2}'));
    expect(noticesHeard()).toBe(before);
  });

  test('and of another epoch than we know has to be said again', async () => {
    const client = await aClient(await enrolled());
    await client.subscribe({ [own('ack')]: { qos: 0 } });
    await born(client);
    await says(client, 1);
    await client.hears(own('ack')); // so the birth before it is done with
    await rig.db.query('UPDATE gateways SET epoch = $2 WHERE id = $1', [gateway, 'e'.repeat(32)]);
    await restartServer();
    await client.closed();
  });
});

describe('several server processes', () => {
  test('one hears and speaks; when it stops another one takes its turn at once, and nothing is lost or doubled', async () => {
    const lines: LogLine[] = [];
    const keep = (event: string, fields = {}) => void lines.push({ event, ...fields });
    const log: Log = { info: keep, warn: keep, error: keep };
    const second: GatewaySide = rig.anotherProcess(log);
    await second.start();
    const client = await aClient(await enrolled());
    await client.subscribe({ [own('notice')]: { qos: 1 }, [own('ack')]: { qos: 0 } });
    await born(client);
    await says(client, 1);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":1}'));
    expect(logged('broker.turn_began', lines)).toEqual([]);

    const stopped = rig.stopServer();
    await says(client, 2);
    await stopped;
    await vi.waitFor(() => expect(logged('broker.turn_began', lines)).toHaveLength(1), patience);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":2}'));
    expect(await seqs()).toEqual([1, 2]);
    await rig.aTarget(site);
    await rig.wake(gateway);
    await client.hears(own('notice'), (payload) => rig.openNotice(payload).targets.length === 1);
    expect(client.heard.filter(({ topic }) => topic === own('ack'))).toHaveLength(2);

    await rig.startServer();
    await second.stop();
    await says(client, 3);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":3}'));
  });

  test('one that stops while it waits leaves nothing behind in the database', async () => {
    const second = rig.anotherProcess();
    await second.start();
    await vi.waitFor(async () => expect(await waitingForTurn()).toHaveLength(1), patience);
    await second.stop();
    await vi.waitFor(async () => expect(await waitingForTurn()).toHaveLength(0), patience);
  });

  test('one that loses its connection to the database gives its turn up', async () => {
    const lines: LogLine[] = [];
    const keep = (event: string, fields = {}) => void lines.push({ event, ...fields });
    const log: Log = { info: keep, warn: keep, error: keep };
    const second = rig.anotherProcess(log);
    await second.start();
    await vi.waitFor(async () => expect(await waitingForTurn()).toHaveLength(1), patience);
    await rig.db.query(
      `SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted AND a.application_name = 'tsugite-server turn'`,
    );
    await vi.waitFor(() => expect(logged('broker.turn_began', lines)).toHaveLength(1), patience);
    await vi.waitFor(() => expect(logged('broker.turn_ended')).toHaveLength(1), patience);
    const client = await aClient(await enrolled());
    await client.subscribe({ [own('ack')]: { qos: 0 } });
    await says(client, 1);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":1}'));
    await second.stop();
    await says(client, 2);
    await client.hears(own('ack'), (payload) => payload.toString().endsWith('"upTo":2}'));
  });

  const waitingForTurn = () => rig.db.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted");
});

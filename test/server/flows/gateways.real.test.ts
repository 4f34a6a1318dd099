import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import type { Report } from '../../../protocol/messages/report.ts';
import { type TopicKind, topicOf } from '../../../protocol/topics.ts';
import { aGatewaySide, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

const dayMs = 86_400_000;
const epoch = 'a'.repeat(32);
let rig: GatewaySideRig;
let gateway: GatewayId;
let site: RandomId;
let identity: Awaited<ReturnType<GatewaySideRig['anIdentity']>>;
let names = 0;
const clients: TestClient[] = [];

beforeAll(async () => {
  rig = await aGatewaySide();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  rig.lines.length = 0;
  names += 1;
  ({ gateway, site } = await rig.aGateway(`gw-flows-${String(names).padStart(4, '0')}`));
  identity = await rig.anIdentity(gateway);
});
afterEach(() => {
  for (const client of clients.splice(0)) client.client.end(true);
});

const own = (kind: TopicKind): string => topicOf(gateway, kind);
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const logged = (event: string) => rig.lines.filter((line) => line.event === event);

async function aConnected(options: Parameters<typeof connectMqtt>[3] = {}): Promise<TestClient> {
  const client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway, clean: false, ...options });
  clients.push(client);
  await client.subscribe({ [own('notice')]: { qos: 1 }, [own('ack')]: { qos: 0 } });
  return client;
}

type Applied = { version: number; sha256: string } | null;

function aBirth(applied: Applied): string {
  return JSON.stringify({
    v: 1,
    online: true,
    epoch,
    bootId: 'b'.repeat(32),
    agent: '1.0.0',
    model: 'PR-500KI',
    firmware: '01.00.0001',
    node: 'v20.19.0',
    arch: 'x64',
    speaks: [1],
    appliedNotice: applied,
    rootVersion: 1,
  });
}

function aReport(seq: number, said: Partial<Record<keyof Report, unknown>> = {}): string {
  return JSON.stringify({ v: 1, epoch, seq, at: '2026-11-22T00:00:00Z', kind: 'start', ...said });
}

const born = (client: TestClient, applied: Applied) => client.publish(own('presence'), aBirth(applied), { retain: true });
const says = (client: TestClient, seq: number, said: Partial<Record<keyof Report, unknown>> = {}) =>
  client.publish(own('report'), aReport(seq, said));
const acked = (client: TestClient, upTo: number) =>
  client.hears(own('ack'), (payload) => payload.toString() === `{"v":1,"epoch":"${epoch}","upTo":${upTo}}`);
const acksOf = (client: TestClient) =>
  client.heard.filter(({ topic }) => topic === own('ack')).map(({ payload }) => JSON.parse(payload.toString()).upTo);
const noticesOf = (client: TestClient) =>
  client.heard.filter(({ topic }) => topic === own('notice')).map(({ payload }) => rig.openNotice(payload));
const targetRow = async (id: RandomId) => (await rig.db.query<Record<string, unknown>>('SELECT * FROM targets WHERE id = $1', [id]))[0];
const storedNotices = async () => (await rig.db.query('SELECT version FROM notices WHERE gateway_id = $1', [gateway])).length;

describe('notices', () => {
  test('a target that becomes READY stands in a signed notice at once, and is DELIVERING', async () => {
    const client = await aConnected();
    const { target, sha256: packageSha256, content } = await rig.aTarget(site);
    await rig.wake(gateway);
    const notice = rig.openNotice((await client.hears(own('notice'))).payload);
    expect(notice).toMatchObject({
      v: 1,
      gateway,
      rootVersion: 1,
      removed: [],
      requests: [],
      policy: { keepaliveS: 1680, probationS: 60 },
    });
    expect(Date.parse(notice.expires) - Date.parse(notice.issuedAt)).toBe(21 * dayMs);
    expect(notice.targets).toEqual([
      {
        target,
        software: 'demo.ipv4',
        version: '1.0.0',
        provider: 'demo',
        attempt: 1,
        package: { sha256: packageSha256, bytes: content.length },
        manifestSha256: '11'.repeat(32),
        installedBytes: 900_000,
        plan: 1,
        entitledUntil: expect.any(String),
        deadline: expect.any(String),
        limits: { installedBytes: 1_500_000, dataBytes: 1_000_000, memoryBytes: 50_000_000, cpuPercent: 50, pids: 8, files: 512 },
        grants: { lan: ['udp:3610'], wan: [], telemetry: false },
      },
    ]);
    const [listed] = notice.targets;
    expect(Date.parse(listed?.entitledUntil ?? '') - Date.parse(notice.issuedAt)).toBe(37 * dayMs);
    expect(Date.parse(listed?.deadline ?? '') - Date.parse(notice.issuedAt)).toBe(14 * dayMs);
    expect(await targetRow(target)).toMatchObject({ state: 'DELIVERING', entitled_until: new Date(listed?.entitledUntil ?? '') });
  });

  test('asked again without a change, nothing new is said; after a week it is said again with later times and the same deadline', async () => {
    await rig.aTarget(site);
    await rig.wake(gateway);
    await vi.waitFor(async () => expect(await storedNotices()).toBe(1));
    const first = await rig.newestNotice(gateway);
    await rig.wake(gateway);
    await vi.waitFor(async () =>
      expect(
        await rig.db.query('SELECT 1 FROM gateways WHERE id = $1 AND notice_due_at > $2', [gateway, new Date(rig.clock.nowMs())]),
      ).toHaveLength(1),
    );
    expect(await storedNotices()).toBe(1);

    rig.clock.offsetMs = 7 * dayMs;
    await rig.db.query("SELECT pg_notify('tsugite_notice_due', '')");
    await vi.waitFor(async () => expect(await storedNotices()).toBe(2));
    const second = await rig.newestNotice(gateway);
    expect(second?.version).toBeGreaterThan(first?.version ?? Number.MAX_SAFE_INTEGER);
    expect(second?.targets[0]?.deadline).toBe(first?.targets[0]?.deadline);
    expect(Date.parse(second?.targets[0]?.entitledUntil ?? '') - Date.parse(first?.targets[0]?.entitledUntil ?? '')).toBeGreaterThanOrEqual(
      7 * dayMs - 1000,
    );
  });

  test('an ended target is listed as removed until its purge is reported', async () => {
    const client = await aConnected();
    const { target } = await rig.aTarget(site);
    await rig.wake(gateway);
    await client.hears(own('notice'));
    await rig.db.query(
      "UPDATE targets SET state = 'TERMINATED', ended_at = now(), ended_on = current_date, removed_reason = 'cancelled' WHERE id = $1",
      [target],
    );
    await rig.wake(gateway);
    await vi.waitFor(() =>
      expect(noticesOf(client).at(-1)?.removed).toEqual([{ target, software: 'demo.ipv4', provider: 'demo', reason: 'cancelled' }]),
    );
    expect(noticesOf(client).at(-1)?.targets).toEqual([]);

    await says(client, 1, { kind: 'purge', target });
    await acked(client, 1);
    await rig.wake(gateway);
    await vi.waitFor(() => expect(noticesOf(client).at(-1)?.removed).toEqual([]));
  });

  test('an update that is suspended leaves the running version listed, and a halted release reaches nobody new', async () => {
    const { target } = await rig.aTarget(site, { version: '2.0.0' });
    await rig.aTarget((await rig.aGateway(`${gateway}-x`)).site, { version: '1.0.0' });
    await rig.db.query("UPDATE targets SET state = 'UPDATING', committed_version = '1.0.0' WHERE id = $1", [target]);
    const listedVersion = async () => {
      const before = await storedNotices();
      await rig.wake(gateway);
      await vi.waitFor(async () => expect(await storedNotices()).toBe(before + 1));
      return (await rig.newestNotice(gateway))?.targets[0]?.version;
    };
    expect(await listedVersion()).toBe('2.0.0');
    await rig.db.query("UPDATE targets SET state = 'SUSPENDED' WHERE id = $1", [target]);
    expect(await listedVersion()).toBe('1.0.0');
    await rig.db.query("UPDATE targets SET state = 'UPDATING' WHERE id = $1", [target]);
    expect(await listedVersion()).toBe('2.0.0');
    await rig.db.query(
      "UPDATE releases SET state = 'HALTED', halted_at = now(), halted_by = 'operator', halt_reason = 'bad' WHERE version = '2.0.0'",
    );
    expect(await listedVersion()).toBe('1.0.0');
    await rig.db.query('UPDATE targets SET committed_version = NULL WHERE id = $1', [target]);
    expect(await listedVersion()).toBe(undefined);
    await rig.db.query(
      "UPDATE releases SET state = 'ADMITTED', halted_at = NULL, halted_by = NULL, halt_reason = NULL WHERE version = '2.0.0'",
    );
  });

  test('many who ask at once get one notice', async () => {
    await rig.aTarget(site);
    await Promise.all(Array.from({ length: 10 }, () => rig.wake(gateway)));
    await vi.waitFor(async () => expect(await storedNotices()).toBe(1));
    expect(logged('notice.failed')).toEqual([]);
  });
});

describe('births', () => {
  async function withNotice(): Promise<{ client: TestClient; version: number; digest: string }> {
    await rig.aTarget(site);
    await rig.wake(gateway);
    const client = await aConnected();
    const { payload } = await client.hears(own('notice'));
    return { client, version: rig.openNotice(payload).version, digest: sha256(payload) };
  }

  test('a gateway without any notice gets its first one, and what it says about itself is kept', async () => {
    const client = await aConnected();
    await born(client, null);
    expect(rig.openNotice((await client.hears(own('notice'))).payload).targets).toEqual([]);
    const [row] = await rig.db.query(
      'SELECT online, epoch, said_model, firmware, node_version, applied_version FROM gateways WHERE id = $1',
      [gateway],
    );
    expect(row).toEqual({
      online: true,
      epoch,
      said_model: 'PR-500KI',
      firmware: '01.00.0001',
      node_version: 'v20.19.0',
      applied_version: null,
    });
  });

  test('one that has applied the newest notice is left alone', async () => {
    const { client, version, digest } = await withNotice();
    await born(client, { version, sha256: digest });
    await says(client, 1);
    await acked(client, 1);
    expect(noticesOf(client)).toHaveLength(1);
  });

  test('one that is behind gets the newest notice again, byte for byte', async () => {
    const { client, version } = await withNotice();
    await born(client, { version: version - 1000, sha256: '0'.repeat(64) });
    await vi.waitFor(() => expect(noticesOf(client).map((notice) => notice.version)).toEqual([version, version]));
    expect(await storedNotices()).toBe(1);
  });

  test('one that is ahead of us makes the counter jump above it', async () => {
    const { client, version } = await withNotice();
    await born(client, { version: version + 5 * dayMs, sha256: '0'.repeat(64) });
    await vi.waitFor(() => expect(noticesOf(client).at(-1)?.version).toBe(version + 5 * dayMs + 1));
  });

  test('the same version with other bytes is answered with a higher one', async () => {
    const { client, version } = await withNotice();
    await born(client, { version, sha256: 'f'.repeat(64) });
    await vi.waitFor(() => expect(noticesOf(client).at(-1)?.version).toBeGreaterThan(version));
  });

  test('a lost connection leaves the gateway offline; a takeover leaves it online', async () => {
    const will = { topic: own('presence'), payload: Buffer.from('{"v":1,"online":false}'), qos: 1 as const, retain: true };
    const isOnline = async () =>
      (await rig.db.query<{ online: boolean }>('SELECT online FROM gateways WHERE id = $1', [gateway]))[0]?.online;
    const first = await aConnected({ will });
    await born(first, null);
    await vi.waitFor(async () => expect(await isOnline()).toBe(true));
    const second = await aConnected({ will });
    await first.closed();
    await born(second, null);
    await says(second, 1);
    await acked(second, 1);
    expect(await isOnline()).toBe(true);
    await second.breakOff();
    await vi.waitFor(async () => expect(await isOnline()).toBe(false));
  });
});

describe('reports', () => {
  test('a report is stored once and acknowledged each time it comes', async () => {
    const client = await aConnected();
    await says(client, 1, { kind: 'supervisor', detail: { restarts: 2 } });
    await acked(client, 1);
    await says(client, 1, { kind: 'supervisor', detail: { restarts: 2 } });
    await vi.waitFor(() => expect(acksOf(client)).toEqual([1, 1]));
    expect(await rig.db.query('SELECT seq, kind, detail FROM reports WHERE gateway_id = $1', [gateway])).toEqual([
      { seq: 1, kind: 'supervisor', detail: { restarts: 2 } },
    ]);
  });

  test('the acknowledgement stops below a gap, and passes it when the missing one comes', async () => {
    const client = await aConnected();
    await says(client, 1);
    await acked(client, 1);
    await says(client, 3);
    await says(client, 4);
    await vi.waitFor(() => expect(acksOf(client).length).toBeGreaterThan(1));
    expect(Math.max(...acksOf(client))).toBe(1);
    await says(client, 2);
    await acked(client, 4);
  });

  test('what comes first on a new connection says that nothing lower is outstanding', async () => {
    const client = await aConnected();
    await says(client, 1);
    await acked(client, 1);
    await client.end();
    const again = await aConnected();
    await says(again, 8);
    await acked(again, 8);
  });

  test('another epoch is another outbox', async () => {
    const client = await aConnected();
    await says(client, 1);
    await acked(client, 1);
    const other = 'c'.repeat(32);
    await client.publish(own('report'), aReport(1, { epoch: other }));
    await client.hears(own('ack'), (payload) => JSON.parse(payload.toString()).epoch === other);
    expect(await rig.db.query('SELECT 1 FROM reports WHERE gateway_id = $1', [gateway])).toHaveLength(2);
  });

  test('nothing is acknowledged before the database has committed it', async () => {
    const client = await aConnected();
    let publishing: Promise<void> | undefined;
    await rig.db.tx(async (sql) => {
      await sql.query('SELECT 1 FROM gateways WHERE id = $1 FOR UPDATE', [gateway]);
      publishing = says(client, 1);
      await vi.waitFor(async () =>
        expect(await rig.db.query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'")).not.toHaveLength(0),
      );
      client.client.sendPing();
      await new Promise<void>((resolve) => client.client.on('packetreceive', (packet) => packet.cmd === 'pingresp' && resolve()));
      expect(acksOf(client)).toEqual([]);
    });
    await publishing;
    await acked(client, 1);
  });

  test.each([
    ['no JSON', Buffer.from('hello')],
    ['an unknown field', Buffer.from(aReport(1, { surprise: 1 } as never))],
    ['white space', Buffer.from(`${aReport(1)} `)],
    ['more than 4 KiB', Buffer.from(aReport(1, { detail: { text: 'x'.repeat(5_000) } }))],
    ['nothing', Buffer.alloc(0)],
  ])('a report of %s is counted, logged with its number and dropped; the next one is taken', async (_name, bytes) => {
    const client = await aConnected();
    await client.publish(own('report'), bytes);
    await says(client, 1);
    await acked(client, 1);
    expect(logged('message.refused')).toEqual([
      expect.objectContaining({ gateway, what: 'report', number: expect.stringMatching(/^E\d{3}$/), count: expect.any(Number) }),
    ]);
    expect(await rig.db.query('SELECT seq FROM reports WHERE gateway_id = $1', [gateway])).toEqual([{ seq: 1 }]);
  });

  describe('of a target', () => {
    let client: TestClient;
    let target: RandomId;
    beforeEach(async () => {
      ({ target } = await rig.aTarget(site));
      await rig.wake(gateway);
      client = await aConnected();
      await client.hears(own('notice'));
    });
    const ends = (seq: number, said: Partial<Record<keyof Report, unknown>>) =>
      says(client, seq, { kind: 'end', target, software: 'demo.ipv4', version: '1.0.0', ...said });

    test('is ACTIVE only once the gateway says that it is committed', async () => {
      await says(client, 1, { target, version: '1.0.0', state: 'accepted' });
      await acked(client, 1);
      expect(await targetRow(target)).toMatchObject({ state: 'DELIVERING', committed_version: null });
      await ends(2, { state: 'committed' });
      await acked(client, 2);
      expect(await targetRow(target)).toMatchObject({ state: 'ACTIVE', committed_version: '1.0.0' });
      expect(
        await rig.db.query("SELECT from_state, to_state, by FROM target_events WHERE target_id = $1 AND event = 'committed'", [target]),
      ).toEqual([{ from_state: 'DELIVERING', to_state: 'ACTIVE', by: gateway }]);
    });

    test.each([
      ['failed', 'PKG_DIGEST_MISMATCH', 'E203'],
      ['rejected', 'PKG_WRONG_MODEL', 'E207'],
      ['rolled-back', 'HEALTH_PROBE_FAILED', 'E504'],
    ])('that ended %s is FAILED with its code', async (state, code, number) => {
      await ends(1, { kind: 'failure', state, code, number });
      await acked(client, 1);
      expect(await targetRow(target)).toMatchObject({ state: 'FAILED', state_codes: [code], committed_version: null });
    });

    test('whose update was rolled back runs the earlier version: ROLLED_BACK', async () => {
      await rig.db.query("UPDATE targets SET state = 'UPDATING', committed_version = '0.9.0' WHERE id = $1", [target]);
      await ends(1, { kind: 'failure', state: 'rolled-back', code: 'HEALTH_PROBE_FAILED', number: 'E504' });
      await acked(client, 1);
      expect(await targetRow(target)).toMatchObject({ state: 'ROLLED_BACK', committed_version: '0.9.0' });
    });

    test('is not moved by a late word about another version, nor by another gateway', async () => {
      await ends(1, { kind: 'failure', state: 'failed', version: '0.5.0', code: 'PKG_DIGEST_MISMATCH', number: 'E203' });
      await acked(client, 1);
      expect(await targetRow(target)).toMatchObject({ state: 'DELIVERING' });

      const victim = target;
      ({ gateway } = await rig.aGateway(`${gateway}-evil`));
      identity = await rig.anIdentity(gateway);
      const evil = await aConnected();
      await says(evil, 1, { kind: 'end', target: victim, version: '1.0.0', state: 'committed' });
      await acked(evil, 1);
      await says(evil, 2, { kind: 'purge', target: victim });
      await acked(evil, 2);
      expect(await targetRow(victim)).toMatchObject({ state: 'DELIVERING', committed_version: null, purged_at: null });
    });
  });
});

test('a gateway that is blocked while it is connected is cut off, and not let in again', async () => {
  const client = await aConnected();
  await born(client, null);
  await client.hears(own('notice'));
  await rig.db.query("UPDATE gateways SET blocked_at = now(), block_reason = 'test' WHERE id = $1", [gateway]);
  await rig.wake(gateway);
  await client.closed();
  await expect(aConnected()).rejects.toMatchObject({ code: 5 });
});

test('after a restart of the gateways’ side every newest notice is retained again, and reports go on where they were', async () => {
  await rig.aTarget(site);
  await rig.wake(gateway);
  const before = await aConnected();
  const { payload } = await before.hears(own('notice'));
  await says(before, 1);
  await acked(before, 1);

  await rig.restart();
  const after = await aConnected();
  expect((await after.hears(own('notice'))).payload.equals(payload)).toBe(true);
  await says(after, 2);
  await acked(after, 2);
  expect(logged('notices.refilled').at(-1)).toMatchObject({ count: expect.any(Number) });
});

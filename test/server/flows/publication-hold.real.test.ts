import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { topicOf } from '../../../protocol/topics.ts';
import { openAuditHeads } from '../../../server/adapters/audit-heads.ts';
import { systemRandom } from '../../../server/adapters/random.ts';
import { type Actor, systemActor } from '../../../server/flows/actor.ts';
import { appendAudit } from '../../../server/flows/audit.ts';
import { keepAuditHead } from '../../../server/flows/keep-audit-head.ts';
import { holdIfWentBack, holdPublication, isPublicationHeld, makePublicationHold } from '../../../server/flows/publication-hold.ts';
import { aGatewaySide, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';
import { asSuperuser } from '../../support/postgres.ts';

const alice: Actor = { name: 'alice', role: 'operator' };
const epoch = 'e'.repeat(32);
let rig: GatewaySideRig;
let folder: string;
let names = 0;
let gateway: GatewayId;
let target: RandomId;
let client: TestClient | undefined;
let identity: Awaited<ReturnType<GatewaySideRig['anIdentity']>>;

beforeAll(async () => {
  rig = await aGatewaySide();
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-hold-'));
});
afterAll(async () => {
  await rig.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  names += 1;
  const home = await rig.aGateway(`gw-held-${String(names).padStart(4, '0')}`);
  gateway = home.gateway;
  identity = await rig.anIdentity(gateway);
  ({ target } = await rig.aTarget(home.site));
});
afterEach(async () => {
  client?.client.end(true);
  await rig.db.query("DELETE FROM settings WHERE name = 'publication.hold'");
});

const parts = () => ({ db: rig.db, clock: rig.clock, random: systemRandom, log: { info: () => {}, warn: () => {}, error: () => {} } });
const confirm = () => makePublicationHold(parts()).confirm('everything is entered again', alice);
const hold = () => rig.db.tx((sql) => holdPublication(sql, { why: 'restored' }, { actor: alice, nowMs: rig.clock.nowMs() }));
const versionsOf = async () =>
  (await rig.db.query<{ version: number }>('SELECT version FROM notices WHERE gateway_id = $1 ORDER BY version', [gateway])).map(
    ({ version }) => version,
  );
const stateOf = async () => (await rig.db.query('SELECT state, committed_version AS running FROM targets WHERE id = $1', [target]))[0];
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 10_000 });

async function connect(appliedNotice: { version: number; sha256: string } | null): Promise<TestClient> {
  client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway, clean: false });
  await client.subscribe({ [topicOf(gateway, 'notice')]: { qos: 1 }, [topicOf(gateway, 'ack')]: { qos: 0 } });
  const birth = {
    v: 1,
    online: true,
    epoch,
    bootId: 'b'.repeat(32),
    agent: '1.0.0',
    model: 'PR-500KI',
    firmware: '08.00.0004',
    node: '20.20.2',
    arch: 'x64',
    speaks: [1],
    appliedNotice,
    rootVersion: 1,
  };
  await client.publish(topicOf(gateway, 'presence'), JSON.stringify(birth), { retain: true });
  return client;
}

test('while it is held nothing goes out: no new notice, no retained one after a restart, no answer to a birth', async () => {
  await rig.wake(gateway);
  await eventually(async () => expect(await versionsOf()).toHaveLength(1));
  await hold();
  await rig.restart();
  // Ahead of us: outside of a hold this alone is answered with a new notice.
  const connected = await connect({ version: rig.clock.nowMs() + 3_600_000, sha256: 'ab'.repeat(32) });
  await rig.wake(gateway);
  await eventually(async () =>
    expect(await rig.db.query('SELECT online FROM gateways WHERE id = $1', [gateway])).toEqual([{ online: true }]),
  );
  // A report is taken and acknowledged all the same; it comes through the same queue as the birth before it.
  const report = { v: 1, epoch, seq: 1, at: '2026-11-22T00:00:00Z', kind: 'supervisor', detail: {} };
  await connected.publish(topicOf(gateway, 'report'), JSON.stringify(report));
  await connected.hears(topicOf(gateway, 'ack'));
  expect(connected.heard.filter(({ topic }) => topic.endsWith('/notice'))).toEqual([]);
  expect(await versionsOf()).toHaveLength(1);
});

test('after the confirmation a gateway whose mark is ahead gets a notice above it, and what it says to run is believed', async () => {
  await hold();
  const { ahead: others } = await makePublicationHold(parts()).show();
  const ahead = rig.clock.nowMs() + 3_600_000; // the clock of the lost server was wrong by an hour
  const connected = await connect({ version: ahead, sha256: 'ab'.repeat(32) });
  await eventually(async () =>
    expect(await rig.db.query('SELECT applied_version FROM gateways WHERE id = $1', [gateway])).toEqual([{ applied_version: ahead }]),
  );
  expect(await makePublicationHold(parts()).show()).toMatchObject({ isHeld: true, why: 'restored', ahead: others + 1 });

  await confirm();
  const notice = rig.openNotice((await connected.hears(topicOf(gateway, 'notice'))).payload);
  expect(notice.version).toBeGreaterThan(ahead);
  expect(notice).toMatchObject({ targets: [{ target, version: '1.0.0' }], requests: [{ kind: 'resync' }] });

  const detail = { request: notice.requests[0]?.id, committed: [`${target} 1.0.0`, 'no target'] };
  const report = { v: 1, epoch, seq: 2, at: '2026-11-22T00:00:00Z', kind: 'resync', detail };
  await connected.publish(topicOf(gateway, 'report'), JSON.stringify(report));
  await eventually(async () => expect(await stateOf()).toEqual({ state: 'ACTIVE', running: '1.0.0' }));
  expect(await rig.db.query('SELECT 1 FROM gateway_requests WHERE gateway_id = $1 AND done_at IS NULL', [gateway])).toEqual([]);
});

test('another gateway’s target, and one that has ended, are not what a gateway can speak for', async () => {
  const other = await rig.aGateway(`gw-other-${names}`);
  const { target: theirs } = await rig.aTarget(other.site);
  const connected = await connect(null);
  const detail = { committed: [`${theirs} 1.0.0`] };
  const report = { v: 1, epoch, seq: 1, at: '2026-11-22T00:00:00Z', kind: 'resync', detail };
  await connected.publish(topicOf(gateway, 'report'), JSON.stringify(report));
  await connected.hears(topicOf(gateway, 'ack'));
  expect(await rig.db.query('SELECT committed_version FROM targets WHERE id = $1', [theirs])).toEqual([{ committed_version: null }]);
});

test('it is confirmed once, with a reason in the audit log', async () => {
  await hold();
  const { gateways } = await confirm();
  expect(gateways).toBeGreaterThan(0);
  await expect(confirm()).rejects.toMatchObject({ code: 'STATE_FORBIDS' });
  const [row] = await rig.db.query("SELECT actor, detail FROM audit WHERE action = 'restore.confirm' ORDER BY seq DESC LIMIT 1");
  expect(row).toMatchObject({ actor: 'alice', detail: { why: 'restored', gateways, reason: 'everything is entered again' } });
});

test('a database that went back behind what the server wrote down is held at the start, and confirmed only once for it', async () => {
  const heads = openAuditHeads(path.join(folder, 'audit-heads'));
  const write = () => rig.db.tx((sql) => appendAudit(sql, { actor: systemActor, action: 'test', subject: 'x' }, rig.clock.nowMs()));
  await write();
  await write();
  await keepAuditHead({ ...parts(), heads });
  expect(await holdIfWentBack({ ...parts(), heads })).toBeUndefined();
  await asSuperuser(
    rig.connection,
    'BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit); COMMIT',
  );
  expect(await holdIfWentBack({ ...parts(), heads })).toMatchObject({ why: 'went-back' });
  expect(await isPublicationHeld(rig.db)).toBe(true);
  await confirm();
  // A second server beside it, whose own last head is the lost one too.
  expect(await holdIfWentBack({ ...parts(), heads })).toBeUndefined();
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type GatewayId, gatewayId, type RandomId } from '../../../protocol/fields.ts';
import type { Report } from '../../../protocol/messages/report.ts';
import { type TopicKind, topicOf } from '../../../protocol/topics.ts';
import { systemRandom } from '../../../server/adapters/random.ts';
import { type Actor, systemActor } from '../../../server/flows/actor.ts';
import { makeContractEvents, type NewEvent, type NewSwap } from '../../../server/flows/contract-events.ts';
import { saveFacts } from '../../../server/flows/contract-facts.ts';
import { makeEvaluateDays } from '../../../server/flows/evaluate-days.ts';
import { makeGateways } from '../../../server/flows/gateways.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { japanDay } from '../../../server/rules/japan-day.ts';
import { t1 } from '../../support/contract-facts.ts';
import { aGatewaySide, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

const dayMs = 86_400_000;
const operator: Actor = { name: 'operator', role: 'operator' };
const catalogue = eligibilityCatalogues.seed;
let rig: GatewaySideRig;
let gateway: GatewayId;
let site: RandomId;
let target: RandomId;
let identity: Awaited<ReturnType<GatewaySideRig['anIdentity']>>;
let names = 0;
const clients: TestClient[] = [];

beforeAll(async () => {
  rig = await aGatewaySide();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  names += 1;
  ({ gateway, site } = await aHome(`gw-away-${String(names).padStart(4, '0')}`));
  identity = await rig.anIdentity(gateway);
  ({ target } = await rig.aTarget(site));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.client.end(true);
});

/** A gateway whose site has T1 under contract. */
async function aHome(name: string, model = 'PR-500KI') {
  const home = await rig.aGateway(name, model);
  await saveFacts(rig.db, home.site, { ...t1, hgwModel: model }, { effectiveOn: '2026-01-01', by: 'test', atMs: rig.clock.nowMs() });
  return home;
}
const parts = () => ({
  db: rig.db,
  clock: rig.clock,
  random: systemRandom,
  catalogue,
  log: { info: () => {}, warn: () => {}, error: () => {} },
});
const gateways = () => makeGateways({ ...parts(), addresses: { https: 'https://127.0.0.1:8443', mqtt: 'mqtts://127.0.0.1:8883' } });
const enter = (event: NewEvent | NewSwap, effectiveOn?: string) =>
  makeContractEvents(parts()).enter({ site }, event, effectiveOn, operator);
const evaluate = (through: string | undefined = 'today') => makeEvaluateDays(parts())({ through, actor: systemActor });
const rowOf = async (id: RandomId) =>
  (await rig.db.query<Record<string, unknown>>('SELECT * FROM targets WHERE id = $1', [id]))[0] as Record<string, unknown>;
const noticeOf = (id: GatewayId) => rig.newestNotice(id);
/** A busy machine may take its time. */
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 10_000 });
const due = (ms: number) => japanDay(rig.clock.nowMs() + ms);

async function aConnected(as: GatewayId = gateway, by = identity): Promise<TestClient> {
  const client = await connectMqtt(rig.ports().mqttPort, by, rig.serverCa.certPem, { clientId: as, clean: false });
  clients.push(client);
  await client.subscribe({ [topicOf(as, 'notice')]: { qos: 1 }, [topicOf(as, 'ack')]: { qos: 0 } });
  return client;
}
function birthOf(epoch: string, applied: { version: number; sha256: string } | null, model = 'PR-500KI'): string {
  const said = { agent: '1.0.0', model, firmware: '01.00.0001', node: 'v20.19.0', arch: 'x64', speaks: [1] };
  return JSON.stringify({ v: 1, online: true, epoch, bootId: 'b'.repeat(32), ...said, appliedNotice: applied, rootVersion: 1 });
}
async function says(client: TestClient, as: GatewayId, epoch: string, seq: number, said: Partial<Record<keyof Report, unknown>>) {
  const own = (kind: TopicKind) => topicOf(as, kind);
  await client.publish(own('report'), JSON.stringify({ v: 1, epoch, seq, at: '2026-11-22T00:00:00Z', ...said }));
  await client.hears(
    own('ack'),
    (payload) => JSON.parse(payload.toString()).upTo === seq && JSON.parse(payload.toString()).epoch === epoch,
  );
}
const committed = { kind: 'end', version: '1.0.0', state: 'committed' };
const one = 'a'.repeat(32);
const other = 'c'.repeat(32);

/** The software runs: listed, reported, ACTIVE. */
async function aRunning(): Promise<TestClient> {
  await rig.wake(gateway);
  const client = await aConnected();
  await client.hears(topicOf(gateway, 'notice'));
  await client.publish(topicOf(gateway, 'presence'), birthOf(one, null), { retain: true });
  await says(client, gateway, one, 1, { ...committed, target });
  expect(await rowOf(target)).toMatchObject({ state: 'ACTIVE', committed_version: '1.0.0' });
  return client;
}

describe('a line is cancelled', () => {
  test('the target leaves the notice, stands among the removed until its purge is reported, and then nowhere', async () => {
    const client = await aRunning();
    await enter({ kind: 'cancel-line', detail: {} });
    await evaluate();
    expect(await rowOf(target)).toMatchObject({ state: 'TERMINATED', removed_reason: 'cancelled' });
    const { payload } = await client.hears(topicOf(gateway, 'notice'), (bytes) => rig.openNotice(bytes).removed.length > 0);
    expect(rig.openNotice(payload)).toMatchObject({
      targets: [],
      removed: [{ target, software: 'demo.ipv4', provider: 'demo', reason: 'cancelled' }],
    });

    await says(client, gateway, one, 2, { kind: 'purge', target, software: 'demo.ipv4', detail: { reason: 'cancelled' } });
    expect(await rowOf(target)).toMatchObject({ committed_version: null, purged_at: expect.any(Date) });
    await rig.wake(gateway);
    await eventually(async () => expect((await noticeOf(gateway))?.removed).toEqual([]));
  });

  test('a gateway that is away finds it when it comes back', async () => {
    const client = await aRunning();
    await client.end();
    await enter({ kind: 'cancel-hgw', detail: {} });
    await evaluate();
    await eventually(async () => expect((await noticeOf(gateway))?.removed).toHaveLength(1));
    const back = await aConnected();
    expect(rig.openNotice((await back.hears(topicOf(gateway, 'notice'))).payload).removed).toMatchObject([{ target }]);
  });

  test('one that was just told to take another version is removed all the same', async () => {
    await aRunning();
    await rig.db.query("UPDATE targets SET state = 'UPDATING', entered_notice_at = NULL, deadline = NULL WHERE id = $1", [target]);
    await enter({ kind: 'cancel-line', detail: {} });
    await evaluate();
    await eventually(async () => expect((await noticeOf(gateway))?.removed).toMatchObject([{ target }]));
  });

  test('what never reached a gateway is removed from none', async () => {
    await rig.db.query("UPDATE targets SET state = 'HOLD' WHERE id = $1", [target]);
    await enter({ kind: 'cancel-line', detail: {} });
    await evaluate();
    expect(await rowOf(target)).toMatchObject({ state: 'TERMINATED' });
    await rig.wake(gateway);
    await eventually(async () => expect(await noticeOf(gateway)).toMatchObject({ targets: [], removed: [] }));
  });

  test('a gateway goes to another household only when it has said that nothing of the first is left', async () => {
    const client = await aRunning();
    const next = await aHome(`${gateway}-x`);
    await rig.db.query('UPDATE gateways SET replaced_at = now() WHERE id = $1', [next.gateway]);
    const refused = { code: 'STATE_FORBIDS', detail: { state: 'in-use' } };
    await expect(gateways().bind(gateway, next.site, operator)).rejects.toMatchObject(refused);
    await enter({ kind: 'cancel-line', detail: {} });
    await evaluate();
    await expect(gateways().bind(gateway, next.site, operator)).rejects.toMatchObject(refused);
    await says(client, gateway, one, 2, { kind: 'purge', target });
    expect(await gateways().bind(gateway, next.site, operator)).toEqual({ gateway, site: next.site });
  });
});

describe('the gateway is exchanged (D-27)', () => {
  const fresh = () => gatewayId.parse(`${gateway}-new`);
  const swap = (id = fresh(), model = 'RT-500MI'): NewSwap => ({ kind: 'swap-device', detail: { gateway: id, model } });

  test('the same target is delivered to the new one; the old one is cut off and speaks for nobody any more', async () => {
    const old = await aRunning();
    await enter(swap());
    await old.closed();
    await expect(aConnected()).rejects.toMatchObject({ code: 5 });
    expect((await rig.ask('GET', `/packages/${'0'.repeat(64)}`, { as: identity })).status).toBe(403);
    expect(await rowOf(target)).toMatchObject({ committed_version: null, ended_at: null });

    const client = await aConnected(fresh(), await rig.anIdentity(fresh()));
    const { payload } = await client.hears(topicOf(fresh(), 'notice'));
    expect(rig.openNotice(payload)).toMatchObject({ gateway: fresh(), targets: [{ target, attempt: 1 }], removed: [] });
    expect(await rowOf(target)).toMatchObject({ state: 'DELIVERING' });
    await client.publish(topicOf(fresh(), 'presence'), birthOf(other, null, 'RT-500MI'), { retain: true });
    await says(client, fresh(), other, 1, { ...committed, target });
    expect(await rowOf(target)).toMatchObject({ state: 'ACTIVE', committed_version: '1.0.0' });

    await evaluate();
    expect(await rowOf(target)).toMatchObject({ state: 'ACTIVE' });
    const [facts] = await rig.db.query('SELECT hgw_model FROM contract_facts WHERE site_id = $1 ORDER BY id DESC LIMIT 1', [site]);
    expect(facts).toEqual({ hgw_model: 'RT-500MI' });
  });

  test('the old one gets no invitation, no site and no pardon', async () => {
    await enter(swap());
    await expect(gateways().invite(gateway, operator)).rejects.toMatchObject({ code: 'GATEWAY_BLOCKED' });
    await expect(gateways().setBlocked(gateway, null, operator)).rejects.toMatchObject({ code: 'STATE_FORBIDS' });
    await expect(gateways().bind(gateway, site, operator)).rejects.toMatchObject({ code: 'STATE_FORBIDS' });
    await expect(enter(swap(gateway, 'PR-500KI'))).rejects.toMatchObject({ code: 'STATE_FORBIDS' });
  });

  test('one for a later day happens at the end of that day', async () => {
    await enter(swap(), due(2 * dayMs));
    const here = async () =>
      (await rig.db.query<{ id: string }>('SELECT id FROM gateways WHERE site_id = $1 AND replaced_at IS NULL', [site]))[0]?.id;
    rig.clock.offsetMs = 2 * dayMs;
    await evaluate(due(-dayMs));
    expect(await here()).toBe(gateway);
    rig.clock.offsetMs = 3 * dayMs;
    await evaluate(due(-dayMs));
    expect(await here()).toBe(fresh());
  });

  test('of two on one day the last one has the site, also after the day’s end', async () => {
    const third = gatewayId.parse(`${gateway}-third`);
    await enter(swap());
    await enter(swap(third, 'PR-500MI'));
    await evaluate();
    expect(await rig.db.query('SELECT id, replaced_at IS NULL AS "isHere" FROM gateways WHERE site_id = $1 ORDER BY id', [site])).toEqual([
      { id: gateway, isHere: false },
      { id: fresh(), isHere: false },
      { id: third, isHere: true },
    ]);
  });

  test('for one outside the service nothing is sent to it, and nothing has ended', async () => {
    await aRunning();
    await enter(swap(fresh(), 'XG-100NE'));
    expect(await rowOf(target)).toMatchObject({ state: 'SUSPENDED', state_codes: ['ELIG_MODEL'], ended_at: null });
    await eventually(async () => expect(await noticeOf(fresh())).toMatchObject({ targets: [], removed: [] }));
    await evaluate();
    expect(await rowOf(target)).toMatchObject({ state: 'SUSPENDED', ended_at: null });
  });

  test('a gateway of somebody else, of another model, or unknown without a model is refused, and nothing has changed', async () => {
    const elsewhere = await aHome(`${gateway}-else`);
    await rig.db.query('INSERT INTO gateways (id, model, created_at) VALUES ($1, $2, now())', [`${gateway}-shelf`, 'PR-500KI']);
    await expect(enter(swap(elsewhere.gateway, 'PR-500KI'))).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(enter(swap(gatewayId.parse(`${gateway}-shelf`)))).rejects.toMatchObject({ code: 'DEVICE_NOT_BOUND' });
    await expect(enter({ kind: 'swap-device', detail: { gateway: fresh() } })).rejects.toMatchObject({ code: 'INPUT_REFUSED' });
    expect(await rig.db.query('SELECT id FROM contract_events WHERE site_id = $1', [site])).toEqual([]);
    expect(await rig.db.query('SELECT 1 FROM gateways WHERE id = $1 AND blocked_at IS NULL', [gateway])).toHaveLength(1);
  });
});

describe('a factory reset (E901)', () => {
  test('another epoch and no notice: everything is delivered again to the same target', async () => {
    const before = await aRunning();
    await before.end();
    const client = await aConnected();
    await client.publish(topicOf(gateway, 'presence'), birthOf(other, null), { retain: true });
    await eventually(async () => expect(await rowOf(target)).toMatchObject({ state: 'DELIVERING', committed_version: null }));
    expect(await rig.db.query("SELECT detail, by FROM target_events WHERE target_id = $1 AND event = 'redeliver'", [target])).toEqual([
      { detail: { why: 'factory-reset' }, by: gateway },
    ]);
    const { payload } = await client.hears(topicOf(gateway, 'notice'));
    expect(rig.openNotice(payload).targets).toMatchObject([{ target }]);
    await says(client, gateway, other, 1, { ...committed, target });
    expect(await rowOf(target)).toMatchObject({ state: 'ACTIVE' });
  });

  test('a restart, or an outbox that was lost beside software that is there, is none', async () => {
    const client = await aRunning();
    const applied = { version: (await noticeOf(gateway))?.version ?? 0, sha256: '0'.repeat(64) };
    for (const birth of [birthOf(one, null), birthOf(other, applied)])
      await client.publish(topicOf(gateway, 'presence'), birth, { retain: true });
    await says(client, gateway, other, 1, { kind: 'start' });
    expect(await rowOf(target)).toMatchObject({ state: 'ACTIVE', committed_version: '1.0.0' });
  });
});

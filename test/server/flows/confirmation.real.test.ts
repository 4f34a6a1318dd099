import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { topicOf } from '../../../protocol/topics.ts';
import { systemActor } from '../../../server/flows/actor.ts';
import { applyFacts, factsOn, saveFacts } from '../../../server/flows/contract-facts.ts';
import type { SiteFacts } from '../../../server/rules/contract-events.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { japanDay } from '../../../server/rules/japan-day.ts';
import { aGatewaySide, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

const t13: SiteFacts = {
  line: 'NEXT_GIGA_LINE',
  access: 'DIRECT',
  collabCarrier: null,
  hgwModel: 'RS-500KI',
  denwa: 'OFFICE_A',
  rental: false,
  officeEq: 'unknown',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};
const epoch = 'a'.repeat(32);
let rig: GatewaySideRig;
let names = 0;
let home: Home;
const clients: TestClient[] = [];
type Home = { gateway: GatewayId; site: RandomId; target: RandomId; client: TestClient };

beforeAll(async () => {
  rig = await aGatewaySide();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  home = await aHome();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.client.end(true);
});

/** A site with an order that its contract facts have judged, and its gateway, connected. */
async function aHome(changes: Partial<SiteFacts> = {}): Promise<Home> {
  names += 1;
  const { gateway, site } = await rig.aGateway(`gw-seen-${String(names).padStart(4, '0')}`, 'RS-500KI');
  await saveFacts(rig.db, site, { ...t13, ...changes }, { effectiveOn: '2026-01-01', by: 'test', atMs: rig.clock.nowMs() });
  const { target } = await rig.aTarget(site, { state: 'REQUESTED' });
  await judge(site);
  const identity = await rig.anIdentity(gateway);
  const client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway, clean: false });
  clients.push(client);
  await client.subscribe({ [topicOf(gateway, 'notice')]: { qos: 1 }, [topicOf(gateway, 'ack')]: { qos: 0 } });
  return { gateway, site, target, client };
}

const judge = (site: RandomId) =>
  rig.db.tx((sql) => applyFacts(sql, site, eligibilityCatalogues.seed, { actor: systemActor, atMs: rig.clock.nowMs() }));

const seen = (value: string) => ({ answer: 'confirm', item: 'office-equipment', value, by: 'command' });
async function says({ gateway, client }: Home, seq: number, detail: Record<string, unknown>, upTo = seq): Promise<void> {
  const report = { v: 1, epoch, seq, at: '2026-11-22T00:00:00Z', kind: 'answer', detail };
  await client.publish(topicOf(gateway, 'report'), JSON.stringify(report));
  await client.hears(topicOf(gateway, 'ack'), (payload) => JSON.parse(payload.toString()).upTo === upTo);
}
const stateOf = async ({ target }: Home) => {
  const [row] = await rig.db.query<{ state: string; codes: string[] }>('SELECT state, state_codes AS codes FROM targets WHERE id = $1', [
    target,
  ]);
  return [row?.state, ...(row?.codes ?? [])].join(' ');
};
const factsOf = ({ site }: Home) => factsOn(rig.db, site, japanDay(rig.clock.nowMs()));
const statementsOf = ({ site }: Home) =>
  rig.db.query('SELECT office_eq AS "officeEq", recorded_by AS by FROM contract_facts WHERE site_id = $1 ORDER BY id', [site]);
const auditOf = ({ site }: Home) => rig.db.query('SELECT actor, action, detail FROM audit WHERE subject = $1 ORDER BY seq', [site]);
const eventsOf = async ({ target }: Home) =>
  (await rig.db.query<{ event: string }>('SELECT event FROM target_events WHERE target_id = $1 ORDER BY id', [target])).map(
    ({ event }) => event,
  );

test('T13: held until a technician has looked; with office-equipment=no it is READY at once and stands in a new notice', async () => {
  expect(await stateOf(home)).toBe('HOLD ELIG_OFFICE_UNKNOWN');
  expect((await rig.newestNotice(home.gateway))?.targets ?? []).toEqual([]);

  await says(home, 1, seen('no'));

  expect(await factsOf(home)).toEqual({ ...t13, officeEq: 'no' });
  expect((await statementsOf(home)).at(-1)).toEqual({ officeEq: 'no', by: `gateway ${home.gateway}` });
  expect(await auditOf(home)).toEqual([
    {
      actor: `gateway ${home.gateway}`,
      action: 'contract.confirm',
      detail: { effectiveOn: japanDay(rig.clock.nowMs()), changes: { officeEq: 'no' }, epoch, seq: 1 },
    },
  ]);
  const { payload } = await home.client.hears(topicOf(home.gateway, 'notice'), (bytes) => rig.openNotice(bytes).targets.length > 0);
  expect(rig.openNotice(payload).targets).toMatchObject([{ target: home.target }]);
  expect(await eventsOf(home)).toEqual(['hold', 'clear', 'noticed']);
});

test('office-equipment=yes: an order that waits is refused; what runs already stays, suspended, until the equipment is gone', async () => {
  await says(home, 1, seen('yes'));
  expect(await stateOf(home)).toBe('REJECTED ELIG_OFFICE_EQUIPMENT');

  const running = await aHome({ officeEq: 'no' });
  await rig.db.query("UPDATE targets SET state = 'ACTIVE', committed_version = '1.0.0' WHERE id = $1", [running.target]);
  await says(running, 1, seen('yes'));
  expect(await stateOf(running)).toBe('SUSPENDED ELIG_OFFICE_EQUIPMENT');
  await says(running, 2, seen('no'));
  expect(await stateOf(running)).toBe('ACTIVE');
});

test('a report that comes twice counts once: what the operator corrected since stays', async () => {
  await says(home, 1, seen('no'));
  const atMs = rig.clock.nowMs();
  await saveFacts(rig.db, home.site, { ...t13, officeEq: 'yes' }, { effectiveOn: japanDay(atMs), by: 'operator', atMs });
  await says(home, 1, seen('no'));
  await says(home, 2, { answer: 'consent' }); // taken in turn: the doubled one is done with
  expect(await factsOf(home)).toMatchObject({ officeEq: 'yes' });
  expect(await auditOf(home)).toHaveLength(1);
});

test('the same again adds no statement; of two in one outbox the later counts, even when it arrives first', async () => {
  await says(home, 1, seen('no'));
  await says(home, 2, seen('no'));
  expect(await statementsOf(home)).toHaveLength(2);
  expect(await auditOf(home)).toHaveLength(1);

  await says(home, 4, seen('yes'), 2);
  await says(home, 3, seen('no'), 4);
  expect(await factsOf(home)).toMatchObject({ officeEq: 'yes' });
});

test('a gateway that is blocked, exchanged or nowhere says nothing about a site, and its report is kept all the same', async () => {
  const neighbour = await aHome();
  for (const [seq, away] of [
    "blocked_at = now(), block_reason = 'stolen'",
    'blocked_at = NULL, block_reason = NULL, replaced_at = now()',
    'site_id = NULL',
  ].entries()) {
    await rig.db.query(`UPDATE gateways SET ${away} WHERE id = $1`, [home.gateway]);
    await says(home, seq + 1, seen('no'));
  }
  for (const site of [home, neighbour]) {
    expect(await statementsOf(site)).toHaveLength(1);
    expect(await stateOf(site)).toBe('HOLD ELIG_OFFICE_UNKNOWN');
  }
  expect(await rig.db.query('SELECT 1 FROM reports WHERE gateway_id = $1', [home.gateway])).toHaveLength(3);
});

test('no other answer and no other value changes a fact', async () => {
  const others = [seen('unknown'), { ...seen('no'), item: 'rental' }, { ...seen('no'), answer: 'consent' }, { officeEq: 'no' }];
  for (const [index, detail] of others.entries()) await says(home, index + 1, detail);
  expect(await statementsOf(home)).toHaveLength(1);
  expect(await stateOf(home)).toBe('HOLD ELIG_OFFICE_UNKNOWN');
  expect(await auditOf(home)).toEqual([]);
});

test('another reason to hold goes on holding, and a confirmation ends nothing that waits for a second person', async () => {
  const both = await aHome({ bflets: true });
  await says(both, 1, seen('no'));
  expect(await stateOf(both)).toBe('HOLD ELIG_TYPE_CHANGE');

  const atMs = rig.clock.nowMs();
  await saveFacts(rig.db, home.site, { ...t13, lineCancelled: true }, { effectiveOn: japanDay(atMs), by: 'operator', atMs });
  await says(home, 1, seen('no'));
  expect(await factsOf(home)).toMatchObject({ officeEq: 'no', lineCancelled: true });
  expect(await stateOf(home)).toBe('HOLD ELIG_OFFICE_UNKNOWN');
});

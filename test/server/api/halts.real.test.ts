import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type GatewayId, gatewayId } from '../../../protocol/fields.ts';
import type { Policy } from '../../../protocol/statements/notice.ts';
import { type GatewayRow, loadNoticeFacts } from '../../../server/flows/load-notice-facts.ts';
import { planNotice } from '../../../server/rules/notice-content.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
let software: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  for (const provider of ['acme', 'other']) await rig.aProvider(provider);
});
afterAll(() => rig.stop());
beforeEach(async () => {
  names += 1;
  software = `lamp-${names}.acme`;
  await rig.admit(rig.aPackage({ software }));
});

const policy: Policy = {
  keepaliveS: 1680,
  jitterS: 0,
  probationS: 60,
  budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
  telemetryBytesPerMonth: 100_000,
  dataGraceDays: 30,
};
const say = (wish: 'halt' | 'resume', who = 'provider:acme', version = '1.0.0') =>
  rig.ask(who, 'POST', `/releases/${wish}`, { software, version, reason: 'crashes at night' });
/** A gateway at a new customer's, with the software ordered; `running`: what it has reported. */
async function aHome(running?: string): Promise<GatewayId> {
  const { customerId, site } = await rig.aCustomer();
  const gateway = gatewayId.parse(`hgw-halt-${site.slice(0, 8)}`);
  await rig.ask('operator', 'POST', '/gateways', { gateway, model: 'PR-400KI', site });
  await rig.order(customerId, { software });
  if (running !== undefined)
    await rig.db.query("UPDATE targets SET state = 'ACTIVE', committed_version = $2 WHERE site_id = $1", [site, running]);
  await rig.db.query('UPDATE gateways SET notice_due_at = NULL WHERE id = $1', [gateway]);
  return gateway;
}
async function listed(gateway: GatewayId): Promise<string[]> {
  const [row] = await rig.db.query<GatewayRow>('SELECT id, site_id, model, replaced_at FROM gateways WHERE id = $1', [gateway]);
  const facts = await loadNoticeFacts(rig.db, row as GatewayRow, policy, rig.clock.nowMs());
  return planNotice(facts, 1, rig.clock.nowMs()).targets.map(({ version }) => version);
}
const isDue = async (gateway: GatewayId) =>
  (await rig.db.query<{ due: boolean }>('SELECT notice_due_at IS NOT NULL AS due FROM gateways WHERE id = $1', [gateway]))[0]?.due;

describe('a halt', () => {
  test('takes the release out of the notices of those that have not installed it; the others keep it, and are not even told', async () => {
    const [waiting, running] = [await aHome(), await aHome('1.0.0')];
    expect((await say('halt')).body).toMatchObject({
      software,
      version: '1.0.0',
      state: 'HALTED',
      haltedBy: 'provider',
      waiting: 1,
      running: 1,
    });
    expect([await listed(waiting), await listed(running)]).toEqual([[], ['1.0.0']]);
    expect([await isDue(waiting), await isDue(running)]).toEqual([true, false]);
    const states = await rig.db.query('SELECT DISTINCT state FROM targets WHERE software_id = $1 ORDER BY state', [software]);
    expect(states).toEqual([{ state: 'ACTIVE' }, { state: 'READY' }]);
  });

  test('of an update leaves the version before where it runs: going back is another command', async () => {
    const [gateway, updated] = [await aHome('1.0.0'), await aHome('1.0.0')];
    await rig.admit(rig.aPackage({ software, version: '1.1.0' }));
    await rig.ask('provider:acme', 'POST', '/releases/deploy', { software, version: '1.1.0' });
    expect(await listed(gateway)).toEqual(['1.1.0']);
    await rig.db.query("UPDATE targets SET committed_version = '1.1.0' WHERE site_id = (SELECT site_id FROM gateways WHERE id = $1)", [
      updated,
    ]);
    await say('halt', 'provider:acme', '1.1.0');
    expect([await listed(gateway), await listed(updated)]).toEqual([['1.0.0'], ['1.1.0']]);
  });

  test('sends new orders to the release before it; without one they are refused', async () => {
    await rig.admit(rig.aPackage({ software, version: '1.1.0' }));
    await say('halt', 'provider:acme', '1.1.0');
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body).toMatchObject({ version: '1.0.0' });
    await say('halt');
    expect((await rig.order((await rig.aCustomer()).customerId, { software })).body.number).toBe('E715');
    expect((await rig.ask('operator', 'POST', '/releases/deploy', { software, version: '1.1.0' })).body.number).toBe('E715');
  });

  test('said twice is said once', async () => {
    await say('halt');
    const gateway = await aHome('1.0.0');
    expect((await say('halt')).body).toMatchObject({ state: 'HALTED', haltedBy: 'provider' });
    expect(await isDue(gateway)).toBe(false);
    expect(await rig.db.query("SELECT seq FROM audit WHERE action = 'release.halt' AND subject = $1", [software])).toHaveLength(1);
  });
});

describe('a resume', () => {
  test('lists the release again, with a deadline of its own', async () => {
    const gateway = await aHome();
    await rig.db.query("UPDATE targets SET deadline = '2026-01-01' WHERE software_id = $1", [software]);
    await say('halt');
    await rig.db.query('UPDATE gateways SET notice_due_at = NULL WHERE id = $1', [gateway]);
    expect((await say('resume')).body).toMatchObject({ state: 'ADMITTED', haltedBy: null });
    expect([await listed(gateway), await isDue(gateway)]).toEqual([['1.0.0'], true]);
    const rows = await rig.db.query('SELECT deadline FROM targets WHERE software_id = $1', [software]);
    expect(rows).toEqual([{ deadline: null }]);
  });

  test('by its provider does not undo a halt of the operator, not even one that came on top of its own', async () => {
    await say('halt');
    expect((await say('halt', 'operator')).body).toMatchObject({ haltedBy: 'operator' });
    expect((await say('halt')).body).toMatchObject({ haltedBy: 'operator' });
    expect(await say('resume')).toMatchObject({ status: 422, body: { number: 'E724', context: { version: '1.0.0' } } });
    expect((await say('resume', 'operator')).body).toMatchObject({ state: 'ADMITTED' });
  });

  test('of what is not halted changes nothing, of what was withdrawn is refused', async () => {
    expect((await say('resume')).body).toMatchObject({ state: 'ADMITTED' });
    await rig.ask('operator', 'POST', `/software/${software}/withdraw`, { reason: 'end' });
    for (const wish of ['halt', 'resume'] as const)
      expect(await say(wish)).toMatchObject({ status: 409, body: { context: { state: 'WITHDRAWN' } } });
  });
});

test('another’s release, an unknown version and an unknown software are answered alike', async () => {
  const replies = [await say('halt', 'provider:other'), await say('halt', 'provider:acme', '9.9.9')];
  expect(replies).toMatchObject([{ status: 404 }, { status: 404 }]);
  for (const who of ['technician', 'viewer']) expect((await say('halt', who)).status).toBe(403);
});

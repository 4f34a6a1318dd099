/** `explain` beside a delivery as it goes: at every moment the first rung that is missing is the one that a person would name. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { explanationLines } from '../../../server/cli/explain-verb.ts';
import type { Answer } from '../../../server/flows/explain-delivery.ts';
import { aPeopleSide, consent, type PeopleSideRig } from '../../support/people-side.ts';
import { aQuietGateway } from '../../support/quiet-gateway.ts';

const dayMs = 86_400_000;
let rig: PeopleSideRig;
let software: string;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
});
afterAll(() => rig.stop());
beforeEach(async () => {
  names += 1;
  rig.clock.offsetMs = 0;
  software = `explained-${names}.acme`;
  await rig.admit(rig.aPackage({ software, web: undefined }));
});

const explain = async (at: object, who = 'operator') =>
  (await rig.ask(who, 'POST', '/explain', { software, ...at })).body as unknown as Answer;
const rungOf = ({ rungs }: Answer, id: string) => rungs.find((rung) => rung.id === id);
async function aHome(facts: Record<string, unknown> = {}) {
  const { customerId, site } = await rig.aCustomer(facts);
  const gateway = await aQuietGateway(rig, `gw-explained-${names}-${customerId.slice(-3)}`, site);
  const missing = async () => (await explain({ gateway: gateway.gateway })).firstMissing;
  return { customerId, site, gateway, missing, at: { gateway: gateway.gateway } };
}

test('from the application to the disk, and to the end', async () => {
  const { customerId, site, gateway, missing, at } = await aHome();
  const { application } = (await rig.ask('provider:acme', 'POST', '/applications', { software, reference: 'A-1' })).body;
  await rig.ask('operator', 'POST', `/applications/${application}/steps`, { event: 'lineInUse', customerId });
  expect(await missing()).toBe('application');
  await rig.ask('operator', 'POST', `/applications/${application}/steps`, { event: 'environmentPrepared', preparedBy: 'customer' });
  expect(await missing()).toBe('consent');
  const { target } = (await rig.order(customerId, { software })).body;
  expect(await missing()).toBe('contact');
  expect(rungOf(await explain(at), 'contact')).toMatchObject({ status: 'no', reasons: [{ number: 'E419' }] });
  await gateway.birth();
  const published = await explain(at);
  expect(published.firstMissing).toBe('notice'); // the birth made its notice
  expect(rungOf(published, 'listed')).toMatchObject({
    status: 'yes',
    inputs: { version: '1.0.0', plan: 1, limits: { installedBytes: 1_500_000 }, noticeVersion: expect.any(Number) },
  });
  await gateway.birth();
  expect(await missing()).toBe('reported');
  await gateway.reports({ kind: 'start', target: String(target), version: '1.0.0' as Version });
  expect(rungOf(await explain(at), 'reported')).toMatchObject({ status: 'waiting', inputs: { kind: 'start' } });
  await gateway.reports({ kind: 'end', target: String(target), state: 'committed', version: '1.0.0' as Version });
  const done = await explain(at);
  expect(done).toMatchObject({ result: 'ELIGIBLE', firstMissing: null, target });
  expect(done.rungs.map(({ status }) => status)).toEqual(done.rungs.map(() => 'yes'));
  expect(rungOf(done, 'application')).toMatchObject({ inputs: { state: 'ACTIVE' } });

  await rig.ask('operator', 'POST', '/contract/events', { at: { site }, event: { kind: 'cancel-line', detail: {} } });
  await rig.ask('operator', 'POST', '/contract/evaluate', { through: 'today' });
  const over = await explain(at);
  expect(over).toMatchObject({ result: 'TERMINATED', firstMissing: 'contract' });
  expect(rungOf(over, 'contract')).toMatchObject({ clause: expect.stringContaining('自動的に廃止'), inputs: { lineCancelled: true } });
  expect(rungOf(over, 'removed')).toMatchObject({ status: 'waiting', inputs: { removedReason: 'cancelled', isListed: false } });
  await gateway.publish();
  expect(rungOf(await explain(at), 'removed')?.inputs).toMatchObject({ isListed: true });
  await gateway.reports({ kind: 'purge', target: String(target) });
  expect(rungOf(await explain(at), 'removed')).toMatchObject({ status: 'yes', since: expect.any(String) });
});

describe('what stands in the way on the way', () => {
  const ordered = async (facts: Record<string, unknown> = {}) => {
    const home = await aHome(facts);
    const { target } = (await rig.order(home.customerId, { software })).body;
    await home.gateway.publish();
    await home.gateway.birth();
    return { ...home, target: String(target) };
  };

  test('a failure, with the limit and the value that the gateway reported', async () => {
    const { gateway, target, at } = await ordered();
    const said = { code: 'STORE_NO_SPACE', detail: { need: 900_000, free: 10 } };
    await gateway.reports({ kind: 'failure', target, state: 'failed', version: '1.0.0' as Version, ...said });
    const explained = await explain(at);
    expect(explained.firstMissing).toBe('reported');
    expect(rungOf(explained, 'reported')?.reasons).toMatchObject([{ number: 'E305', ja: expect.stringContaining('900,000') }]);
  });

  test('silence past the deadline, found by the sweep or not', async () => {
    const { at, gateway } = await ordered();
    rig.clock.offsetMs = 15 * dayMs;
    expect((await explain(at)).firstMissing).toBe('reported');
    await rig.db.query('UPDATE gateways SET online = false WHERE id = $1', [gateway.gateway]);
    expect((await explain(at)).firstMissing).toBe('contact');
  });

  test('a halt and a review, before and after the copy runs', async () => {
    const { gateway, target, at } = await ordered();
    await rig.ask('operator', 'POST', '/releases/halt', { software, version: '1.0.0', reason: 'a fault' });
    expect(rungOf(await explain(at), 'release')).toMatchObject({
      status: 'no',
      reasons: [{ number: 'E715' }],
      inputs: { state: 'HALTED' },
    });
    await rig.ask('operator', 'POST', '/releases/resume', { software, version: '1.0.0', reason: 'mended' });
    await gateway.publish();
    await gateway.reports({ kind: 'end', target, state: 'committed', version: '1.0.0' as Version });
    await rig.ask('operator', 'POST', `/software/${software}/complaints`, { kind: 'content', said: 'x' });
    expect((await explain(at)).firstMissing).toBeNull();
    const { customerId } = await rig.aCustomer();
    const fresh = await explain({ customerId });
    expect(rungOf(fresh, 'software')).toMatchObject({
      reasons: [{ ja: '第三者機関による倫理審査中です。' }],
      inputs: { case: expect.any(String) },
    });
    const seen = await explain({ customerId }, 'technician');
    expect(rungOf(seen, 'software')?.reasons[0]?.ja).not.toContain('審査');
    expect(JSON.stringify(seen)).not.toMatch(/審査|UNDER_REVIEW/);
  });

  test('a plan that was lowered, until and after its grace', async () => {
    const { gateway, target, at } = await ordered();
    await gateway.reports({ kind: 'end', target, state: 'committed', version: '1.0.0' as Version });
    await rig.db.query('UPDATE targets SET grace_until = $2 WHERE id = $1', [target, new Date(rig.clock.nowMs() + dayMs)]);
    expect((await explain(at)).firstMissing).toBeNull();
    rig.clock.offsetMs = 2 * dayMs;
    expect(rungOf(await explain(at), 'entitled')).toMatchObject({ status: 'no', reasons: [{ number: 'E304' }] });
  });

  test('a hold, in the provider’s eyes and in the operator’s', async () => {
    const { at, site } = await ordered({ bflets: true });
    expect((await explain(at)).firstMissing).toBe('type-change');
    const told = await explain({ site }, 'provider:acme');
    expect(told).toMatchObject({ firstMissing: 'conditions', result: 'INELIGIBLE' });
    expect(JSON.stringify(told)).not.toMatch(/E106|bflets|TYPE_CHANGE/);
  });

  test('a consent that was taken back: since when', async () => {
    const { customerId, at } = await ordered();
    const [row] = await rig.db.query<{ id: string }>(
      'SELECT n.id FROM consents n JOIN customers c ON c.id = n.customer WHERE c.customer_id = $1 AND n.software_id = $2',
      [customerId, software],
    );
    await rig.ask('operator', 'POST', `/consents/${row?.id}/withdraw`, { withdrawnBy: 'x', withdrawnHow: 'y' });
    const explained = await explain(at);
    expect(explained.firstMissing).toBe('consent');
    expect(rungOf(explained, 'consent')).toMatchObject({
      inputs: { withdrawnAt: expect.any(String), scopes: [] },
      since: expect.any(String),
    });
    expect(consent.scopes).toContain('delivery');
  });
});

test('each look is audited with its purpose', async () => {
  const { customerId, customer } = await rig.aCustomer();
  await explain({ customerId });
  await explain({ customerId, why: 'a call from the household' });
  const rows = await rig.db.query("SELECT detail->>'why' AS why FROM audit WHERE subject = $1 AND action = 'customer.read' ORDER BY seq", [
    customer,
  ]);
  expect(rows).toEqual([{ why: 'explain' }, { why: 'a call from the household' }]);
});

test('in a terminal the first missing rung is marked, with its sentence, its remedy and the sheet’s clause', async () => {
  const { customerId } = await rig.aCustomer({ denwa: 'NONE' });
  const lines = explanationLines(await explain({ customerId }));
  const marked = lines.filter((line) => line.startsWith('▶'));
  expect(marked).toHaveLength(1);
  expect(marked[0]).toContain('× 前提契約は足りるか');
  const at = lines.indexOf(String(marked[0]));
  expect(lines.slice(at + 1, at + 6).join('\n')).toMatch(
    /denwa=NONE {2}rental=false\n.*E104.*\n.*\n.*対処（お客さま）.*\n.*提供条件等『.*必須となります。』/,
  );
  expect(lines.at(-1)).toBe('→ 前提契約は足りるか / Is there a telephone or rental contract?  (phone-or-rental)');
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { japanDay } from '../../../server/rules/japan-day.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

const dayMs = 86_400_000;
let rig: PeopleSideRig;
let names = 0;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
  await rig.admit(rig.aPackage());
});
afterAll(() => rig.stop());
afterEach(async () => {
  // What a test left waiting must not act in the next one.
  await rig.db.query(
    `INSERT INTO contract_events_settled (event_id, outcome, settled_at, settled_by) SELECT id, 'void', now(), 'test' FROM contract_events ON CONFLICT DO NOTHING`,
  );
  rig.clock.offsetMs = 0;
});

const today = () => japanDay(rig.clock.nowMs());
const inDays = (days: number) => japanDay(rig.clock.nowMs() + days * dayMs);
const enter = (site: string, kind: string, detail: object = {}, effectiveOn?: string) =>
  rig.ask('operator', 'POST', '/contract/events', { at: { site }, event: { kind, detail }, effectiveOn });
const evaluate = (through?: string) => rig.ask('operator', 'POST', '/contract/evaluate', { through });
const show = async (target: string) => (await rig.ask('operator', 'GET', `/targets/${target}`)).body;
const stateOf = async (target: string) => (await show(target)).state;
const outcomes = async (site: string) =>
  ((await rig.ask('operator', 'POST', '/contract/events/search', { at: { site }, why: 'test' })).body.items as { outcome: string }[]).map(
    ({ outcome }) => outcome,
  );

/** A customer whose software runs, as the gateway has reported. */
async function aRunning(facts: Record<string, unknown> = {}) {
  const { customerId, site } = await rig.aCustomer(facts);
  const target = String((await rig.order(customerId)).body.target);
  await rig.db.query("UPDATE targets SET state = 'ACTIVE', committed_version = '1.0.0', entitled_until = now() WHERE id = $1", [target]);
  return { customerId, site, target };
}
/** The night passes; the program looks by itself. */
async function passNights(nights = 1) {
  rig.clock.offsetMs += nights * dayMs;
  rig.dayTick.start();
  await rig.dayTick.stop();
}

describe('a contract event acts at the end of its day', () => {
  test('T23: 解約 of today ends the service tonight, once and for good', async () => {
    const { site, target, customerId } = await aRunning();
    expect(await enter(site, 'cancel-line')).toMatchObject({
      status: 201,
      body: { kind: 'cancel-line', effectiveOn: today(), ja: '回線の解約' },
    });
    expect(await stateOf(target)).toBe('ACTIVE');
    await evaluate();
    expect(await stateOf(target)).toBe('ACTIVE');
    await passNights();
    expect(await show(target)).toMatchObject({ state: 'TERMINATED', removedReason: 'cancelled', codes: ['ELIG_CONTRACT_ENDED'] });
    expect(await outcomes(site)).toEqual(['applied']);
    const again = (await rig.order(customerId)).body;
    expect(again.number).toBe('E107');
  });

  test('解約 entered today for the 30th acts on the 30th', async () => {
    const { site, target } = await aRunning();
    await enter(site, 'cancel-line', {}, inDays(8));
    for (let night = 1; night <= 8; night += 1) {
      await passNights();
      expect([night, await stateOf(target)]).toEqual([night, 'ACTIVE']);
    }
    await passNights();
    expect(await stateOf(target)).toBe('TERMINATED');
  });

  test('what changes in between is not undone on that day', async () => {
    const { site } = await aRunning();
    await enter(site, 'change-carrier', { collabCarrier: 'Y' }, inDays(3));
    await enter(site, 'start-rental', {}, inDays(1));
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { typeChanged: 'applied' }, effectiveOn: inDays(4) });
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { officeEq: 'yes' } });
    await passNights(5);
    expect((await rig.ask('operator', 'POST', '/sites/search', { at: { site }, why: 'test' })).body.facts).toMatchObject({
      access: 'COLLAB',
      collabCarrier: 'Y',
      rental: true,
      officeEq: 'yes',
      typeChanged: 'applied',
    });
  });

  test('T24: 電話解約 alone ends it; with レンタル開始 on the same day it stays ACTIVE', async () => {
    const alone = await aRunning();
    const both = await aRunning();
    await enter(alone.site, 'cancel-phone');
    await enter(both.site, 'cancel-phone');
    await enter(both.site, 'start-rental');
    await passNights();
    expect(await show(alone.target)).toMatchObject({ state: 'TERMINATED', codes: ['ELIG_NO_PHONE_OR_RENTAL'] });
    expect(await stateOf(both.target)).toBe('ACTIVE');
    expect(await rig.db.query('SELECT event FROM target_events WHERE target_id = $1 ORDER BY id', [both.target])).toEqual([
      { event: 'order' },
      { event: 'clear' },
    ]);
  });

  test('事業者変更, entered as the new line first and the old 解約 after it, stays ACTIVE', async () => {
    const { site, target } = await aRunning();
    await enter(site, 'start-line', { line: 'NEXT_GIGA_LINE', collabCarrier: '光コラボX' });
    await enter(site, 'cancel-line');
    await passNights();
    expect(await stateOf(target)).toBe('ACTIVE');
    expect((await rig.ask('operator', 'POST', '/sites/search', { at: { site }, why: 'test' })).body.facts).toMatchObject({
      line: 'NEXT_GIGA_LINE',
      access: 'COLLAB',
      collabCarrier: '光コラボX',
      lineCancelled: false,
    });
  });

  test('a service that has ended stays so: a line that comes back needs a new order, which is a new target', async () => {
    const { site, target, customerId } = await aRunning();
    await enter(site, 'cancel-line');
    await passNights();
    await enter(site, 'start-line', { line: 'NEXT_OTHER' });
    await passNights();
    expect(await stateOf(target)).toBe('TERMINATED');
    const again = (await rig.order(customerId)).body;
    expect(again).toMatchObject({ state: 'READY', isRepeat: false });
    expect(again.target).not.toBe(target);
  });

  test('D-27: a new お客さまID is a new contract and a new target; the first one ends and its data with it', async () => {
    const old = await aRunning();
    const fresh = await rig.aCustomer();
    await enter(old.site, 'cancel-line');
    const target = String((await rig.order(fresh.customerId)).body.target);
    await passNights();
    expect([await stateOf(old.target), await stateOf(target)]).toEqual(['TERMINATED', 'READY']);
    expect(target).not.toBe(old.target);
  });

  test('the customer’s contract with one provider ends that provider’s target only', async () => {
    await rig.aProvider('other');
    await rig.admit(rig.aPackage({ software: 'lamp.other', provider: 'other' }));
    const { site, target, customerId } = await aRunning();
    const lamp = String((await rig.order(customerId, { software: 'lamp.other' })).body.target);
    await enter(site, 'provider-cancel', { provider: 'acme' });
    await passNights();
    expect([await stateOf(target), await stateOf(lamp)]).toEqual(['TERMINATED', 'READY']);
  });

  test('E105 suspends: the running copy stays and is not ended', async () => {
    const { site, target } = await aRunning({ line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI', denwa: 'STANDARD', officeEq: 'yes' });
    await enter(site, 'start-phone', { denwa: 'OFFICE_TYPE' });
    await passNights();
    expect(await show(target)).toMatchObject({
      state: 'SUSPENDED',
      codes: ['ELIG_OFFICE_EQUIPMENT'],
      committedVersion: '1.0.0',
      endedAt: null,
    });
  });
});

describe('the ends of days', () => {
  test('after a downtime of a week each day is made up for, in its order', async () => {
    const { site, target } = await aRunning();
    await enter(site, 'cancel-phone', {}, inDays(2));
    await enter(site, 'start-rental', {}, inDays(1));
    await enter(site, 'change-line', { line: 'NEXT_GIGA_LINE' }, inDays(4));
    await passNights(7);
    expect(await stateOf(target)).toBe('ACTIVE');
    expect(await outcomes(site)).toEqual(['applied', 'applied', 'applied']);
    const statements = await rig.db.query(
      'SELECT effective_on AS day, denwa, rental, line FROM contract_facts WHERE site_id = $1 ORDER BY id',
      [site],
    );
    expect(statements.slice(1)).toEqual([
      { day: inDays(-6), denwa: 'STANDARD', rental: true, line: 'NEXT_OTHER' },
      { day: inDays(-5), denwa: 'NONE', rental: true, line: 'NEXT_OTHER' },
      { day: inDays(-3), denwa: 'NONE', rental: true, line: 'NEXT_GIGA_LINE' },
    ]);
  });

  test('looking again, and from several servers at once, does nothing twice', async () => {
    const { site, target } = await aRunning();
    await enter(site, 'cancel-line');
    rig.clock.offsetMs += dayMs;
    const replies = await Promise.all(Array.from({ length: 5 }, () => evaluate()));
    for (const { status, body } of replies) expect([200, 503]).toContain(body.number === 'E955' ? 503 : status);
    await passNights(0);
    expect(await rig.db.query("SELECT event FROM target_events WHERE target_id = $1 AND event = 'end'", [target])).toHaveLength(1);
    expect(await rig.db.query('SELECT id FROM contract_facts WHERE site_id = $1', [site])).toHaveLength(2);
  });

  test('an operator may have today judged at once, which is in the audit; a day to come is refused', async () => {
    const { site, target } = await aRunning();
    await enter(site, 'cancel-line');
    const { status, body } = await evaluate('today');
    expect(status).toBe(200);
    expect(body).toMatchObject({ through: today(), sites: 1, moves: [{ target, from: 'ACTIVE', to: 'TERMINATED' }] });
    expect(await rig.db.query("SELECT actor, subject FROM audit WHERE action = 'contract.evaluate' ORDER BY seq DESC LIMIT 1")).toEqual([
      { actor: 'operator', subject: today() },
    ]);
    expect(await evaluate(inDays(1))).toMatchObject({ status: 400, body: { number: 'E932' } });
  });

  test('what is entered late, for a day that has ended, acts at the next look', async () => {
    const { site, target } = await aRunning();
    await passNights();
    await rig.ask('operator', 'POST', `/sites/${site}/facts`, { changes: { rental: true } });
    await enter(site, 'cancel-line', {}, inDays(-1));
    await evaluate();
    expect(await stateOf(target)).toBe('TERMINATED');
    // Added to what is known now, not below it.
    expect((await rig.ask('operator', 'POST', '/sites/search', { at: { site }, why: 'test' })).body.facts).toMatchObject({
      lineCancelled: true,
      rental: true,
    });
  });

  test('an event that has not acted yet can be taken back, one that has cannot; no row is ever changed', async () => {
    const { site, target } = await aRunning();
    const first = (await enter(site, 'cancel-line', {}, inDays(1))).body.event;
    expect((await rig.ask('operator', 'POST', `/contract/events/${first}/void`, { reason: 'wrong site' })).body).toMatchObject({
      outcome: 'void',
    });
    await passNights(3);
    expect(await stateOf(target)).toBe('ACTIVE');
    expect(await rig.ask('operator', 'POST', `/contract/events/${first}/void`, { reason: 'again' })).toMatchObject({ status: 409 });
    const second = (await enter(site, 'cancel-line')).body.event;
    await passNights();
    expect(await rig.ask('operator', 'POST', `/contract/events/${second}/void`, { reason: 'too late' })).toMatchObject({ status: 409 });
    expect(await outcomes(site)).toEqual(['void', 'applied']);
    await expect(rig.db.query("UPDATE contract_events SET kind = 'start-rental' WHERE id = $1", [second])).rejects.toThrow('append-only');
    await expect(rig.db.query('DELETE FROM contract_events WHERE id = $1', [second])).rejects.toThrow('append-only');
  });

  test('T26: on the day after a line left the catalogue, who was moved goes on and who was not is suspended', async () => {
    const late = await aPeopleSide({ catalogue: 'current' });
    await late.aProvider('acme');
    late.clock.offsetMs = Date.parse('2025-03-30T03:00:00Z') - Date.now();
    await late.admit(late.aPackage());
    const light = { line: 'LIGHT', hgwModel: 'RV-440NE' };
    const [moved, left] = [await late.aCustomer(light), await late.aCustomer(light)];
    const targets: string[] = [];
    for (const { customerId } of [moved, left]) targets.push(String((await late.order(customerId)).body.target));
    await late.ask('operator', 'POST', '/contract/evaluate', {});
    await late.ask('operator', 'POST', '/contract/events', {
      at: { site: moved.site },
      event: { kind: 'change-line', detail: { line: 'NEXT_OTHER' } },
      effectiveOn: '2025-04-01',
    });
    const states = async () =>
      Promise.all(targets.map(async (target) => (await late.ask('operator', 'GET', `/targets/${target}`)).body.state));
    late.clock.offsetMs += 2 * dayMs;
    await late.ask('operator', 'POST', '/contract/evaluate', {});
    expect(await states()).toEqual(['READY', 'READY']);
    late.clock.offsetMs += dayMs;
    await late.ask('operator', 'POST', '/contract/evaluate', {});
    expect(await states()).toEqual(['READY', 'SUSPENDED']);
    await late.stop();
  });
});

describe('what may be entered', () => {
  test.each<[string, object]>([
    ['an unknown kind', { event: { kind: 'explode', detail: {} } }],
    ['a detail that the kind does not have', { event: { kind: 'cancel-line', detail: { line: 'NONE' } } }],
    ['品目変更 without the new line', { event: { kind: 'change-line', detail: {} } }],
    ['機器交換 without the new gateway', { event: { kind: 'swap-device', detail: {} } }],
    ['a correction, which has a route of its own', { event: { kind: 'change-facts', detail: { changes: {} } } }],
    ['a day that does not exist', { event: { kind: 'cancel-line' }, effectiveOn: '2026-02-30' }],
    ['a day two years away', { event: { kind: 'cancel-line' }, effectiveOn: '2999-01-01' }],
    ['two places', { event: { kind: 'cancel-line' }, at: { site: 'a'.repeat(26), gateway: 'gw-0001' } }],
  ])('%s is refused', async (_, more) => {
    const { site } = await rig.aCustomer();
    expect((await rig.ask('operator', 'POST', '/contract/events', { at: { site }, ...more })).body).toMatchObject({ number: 'E932' });
    expect(await outcomes(site)).toEqual([]);
  });

  test('by an operator only, at a site, a gateway or an お客さまID, which is written nowhere', async () => {
    const { site, customerId } = await aRunning();
    names += 1;
    const gateway = `gw-place-${names}`;
    await rig.ask('operator', 'POST', '/gateways', { gateway, model: 'PR-400KI', site });
    const event = { kind: 'relocate', detail: {} };
    for (const at of [{ gateway }, { customerId }])
      expect((await rig.ask('operator', 'POST', '/contract/events', { at, event })).body).toMatchObject({ site });
    expect((await rig.ask('operator', 'POST', '/contract/events', { at: { customerId: 'CAF99999999' }, event })).body.number).toBe('E112');
    for (const who of ['technician', 'provider:acme'])
      expect((await rig.ask(who, 'POST', '/contract/events', { at: { site }, event })).status).toBe(403);
    const written = JSON.stringify([
      await rig.db.query('SELECT * FROM contract_events'),
      await rig.db.query('SELECT * FROM audit'),
      rig.lines,
    ]);
    expect(written).not.toContain(customerId);
  });
});

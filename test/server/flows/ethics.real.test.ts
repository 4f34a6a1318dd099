/** From a complaint to the third party's decision, and what gateways, providers and households learn of it on the way. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { aQuietGateway, type QuietGateway } from '../../support/quiet-gateway.ts';

const dayMs = 86_400_000;
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
  rig.clock.offsetMs = 0;
  software = `reviewed-${names}.acme`;
  await rig.admit(rig.aPackage({ software, web: undefined }));
});

const complain = (kind = 'content', more: object = {}) =>
  rig.ask('operator', 'POST', `/software/${software}/complaints`, { kind, said: 'it shows what it must not', ...more });
const decide = (id: unknown, verdict: 'passed' | 'failed', who = 'operator') =>
  rig.ask(who, 'POST', `/ethics/cases/${id}/decide`, { verdict, reviewer: '第三者機関', reason: 'as the paper says' });
const softwareState = async () => (await rig.db.query<{ state: string }>('SELECT state FROM software WHERE id = $1', [software]))[0]?.state;
const targetOf = async (target: unknown) => (await rig.ask('operator', 'GET', `/targets/${target}`)).body;

async function aHome(): Promise<{ gateway: QuietGateway; target: string; customerId: string; run: () => Promise<void> }> {
  const { customerId, site } = await rig.aCustomer();
  const gateway = await aQuietGateway(rig, `gw-ethics-${names}-${customerId.slice(-4)}`, site);
  const target = String((await rig.order(customerId, { software })).body.target);
  const run = async () => {
    await gateway.publish();
    await gateway.reports({ kind: 'end', target, state: 'committed', version: '1.0.0' as Version });
    await gateway.publish();
  };
  return { gateway, target, customerId, run };
}
const listed = async ({ gateway }: { gateway: QuietGateway }) => {
  await gateway.publish();
  return ((await gateway.notice())?.targets ?? []).map(({ version, attempt }) => `${version} ${attempt}`);
};

const isDue = async ({ gateway }: { gateway: QuietGateway }) => {
  const [row] = await rig.db.query<{ at: Date }>('SELECT notice_due_at AS at FROM gateways WHERE id = $1', [gateway.gateway]);
  return (row as { at: Date }).at.getTime() <= rig.clock.nowMs();
};

describe('a content complaint', () => {
  test('opens a case and pauses new deliveries; what runs stays in its notice, unchanged', async () => {
    const running = await aHome();
    await running.run();
    const before = await running.gateway.notice();
    const waiting = await aHome();
    await waiting.gateway.publish();

    expect(await complain()).toMatchObject({
      status: 201,
      body: { outcome: 'open-case', case: expect.any(String), state: 'UNDER_REVIEW', software },
    });
    expect(await isDue(waiting)).toBe(true);
    expect(await running.gateway.publish()).toBe('unchanged');
    expect(await running.gateway.notice()).toEqual(before);
    expect(await listed(waiting)).toEqual([]);
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body).toMatchObject({ number: 'E701', ja: '第三者機関による倫理審査中です。' });
    expect((await rig.ask('provider:acme', 'POST', `/targets/${waiting.target}/retry`)).body.number).toBe('E701');
  });

  test('an update waits too: the version that runs goes on', async () => {
    const home = await aHome();
    await home.run();
    await rig.admit(rig.aPackage({ software, web: undefined, version: '2.0.0' }));
    await rig.ask('provider:acme', 'POST', '/releases/deploy', { software, version: '2.0.0' });
    expect(await listed(home)).toEqual(['2.0.0 1']);
    await complain();
    expect(await listed(home)).toEqual(['1.0.0 1']);
  });

  test('a second one joins the open case; money and quality are written down beside it', async () => {
    const first = (await complain()).body;
    expect((await complain('report')).body).toMatchObject({ outcome: 'join-case', case: first.case });
    expect((await complain('billing')).body).toMatchObject({ outcome: 'record', case: null, state: 'UNDER_REVIEW' });
    expect((await rig.ask('operator', 'GET', `/ethics/cases/${first.case}`)).body).toMatchObject({
      complaints: 2,
      complaintList: [{ kind: 'content' }, { kind: 'report' }],
    });
  });

  test.each(['billing', 'quality', 'other'])('a complaint about %s alone pauses nothing', async (kind) => {
    expect((await complain(kind)).body).toMatchObject({ outcome: 'record', case: null, state: 'PUBLISHED' });
    expect((await rig.ask('operator', 'GET', `/ethics/cases?software=${software}`)).body.items).toEqual([]);
  });

  test('two at the same moment open one case', async () => {
    const cases = await Promise.all([complain(), complain(), complain()]);
    expect(new Set(cases.map(({ body }) => body.case)).size).toBe(1);
  });
});

describe('passed', () => {
  test('deliveries go on, each in a time of its own and in a new attempt where the pause broke one off', async () => {
    const waiting = await aHome();
    const broken = await aHome();
    expect(await listed(waiting)).toEqual(['1.0.0 1']);
    expect(await listed(broken)).toEqual(['1.0.0 1']);
    const { case: id } = (await complain()).body;
    expect(await listed(broken)).toEqual([]);
    // In probation when it left the notice: the gateway takes that back.
    await broken.gateway.reports({
      kind: 'failure',
      target: broken.target,
      state: 'rolled-back',
      version: '1.0.0' as Version,
      code: 'SOFTWARE_ORPHANED',
    });
    rig.clock.offsetMs = 60 * dayMs;
    expect((await decide(id, 'passed')).body).toMatchObject({ verdict: 'passed', state: 'PUBLISHED', ended: 0 });
    expect([await isDue(waiting), await isDue(broken)]).toEqual([true, true]);
    expect(await listed(waiting)).toEqual(['1.0.0 1']);
    expect(await listed(broken)).toEqual(['1.0.0 2']);
    const [wish] = (await waiting.gateway.notice())?.targets ?? [];
    expect(Date.parse(String(wish?.deadline))).toBeGreaterThan(rig.clock.nowMs() + 13 * dayMs);
    expect(await decide(id, 'passed')).toMatchObject({ status: 200, body: { state: 'PUBLISHED' } });
    expect(await decide(id, 'failed')).toMatchObject({ status: 409, body: { number: 'E718' } });
    expect(await softwareState()).toBe('PUBLISHED');
  });
});

describe('failed', () => {
  test('the software is prohibited: every target ends, and its removal stands in the notices', async () => {
    const home = await aHome();
    await home.run();
    const { case: id } = (await complain()).body;
    expect((await decide(id, 'failed')).body).toMatchObject({ verdict: 'failed', state: 'PROHIBITED', ended: 1 });
    expect(await targetOf(home.target)).toMatchObject({ state: 'TERMINATED', removedReason: 'prohibited' });
    await home.gateway.publish();
    expect(await home.gateway.notice()).toMatchObject({ targets: [], removed: [{ target: home.target, reason: 'prohibited' }] });
    expect((await complain()).body).toMatchObject({ outcome: 'record', state: 'PROHIBITED' });
  });

  test('many targets wait for the second person, with the verdict on record and deliveries still paused', async () => {
    const homes = [];
    for (let count = 0; count < 11; count += 1) homes.push(await aHome());
    const { case: id } = (await complain()).body;
    const reply = await decide(id, 'failed');
    expect(reply).toMatchObject({ status: 422, body: { number: 'E716', context: { actual: 11, kind: 'prohibit' } } });
    expect((await rig.ask('operator', 'GET', `/ethics/cases/${id}`)).body).toMatchObject({
      state: 'failed',
      softwareState: 'UNDER_REVIEW',
    });
    expect((await decide(id, 'failed')).body.context).toMatchObject({ change: (reply.body.context as { change: string }).change });
    expect((await targetOf(homes[0]?.target)).state).toBe('READY');
  }, 120_000);
});

describe('who learns of a review', () => {
  test('the operator and the software’s provider; no other provider, no technician, no viewer', async () => {
    const { case: id } = (await complain()).body;
    await rig.ask('operator', 'POST', `/ethics/cases/${id}/notes`, { kind: 'evidence', text: 'a screenshot', document: 'ab'.repeat(32) });
    expect((await rig.ask('operator', 'GET', `/ethics/cases/${id}`)).body).toMatchObject({
      notes: [{ kind: 'evidence', text: 'a screenshot' }],
    });
    const own = await rig.ask('provider:acme', 'GET', `/ethics/cases/${id}`);
    expect(own).toMatchObject({ status: 200, body: { complaintList: [{ said: 'it shows what it must not' }], notes: [] } });
    expect(await rig.ask('provider:other', 'GET', `/ethics/cases/${id}`)).toMatchObject({ status: 404 });
    expect((await rig.ask('provider:other', 'GET', '/ethics/cases')).body.items).toEqual([]);
    for (const who of ['technician', 'viewer']) expect((await rig.ask(who, 'GET', '/ethics/cases')).status).toBe(403);
    for (const who of ['provider:acme', 'technician', 'viewer']) expect((await decide(id, 'passed', who)).status).toBe(403);
  });

  test('every step is in the audit with who', async () => {
    const { case: id } = (await complain()).body;
    await decide(id, 'passed');
    const rows = await rig.db.query('SELECT actor, action FROM audit WHERE subject = ANY($1) ORDER BY seq', [[software, id]]);
    expect(rows).toMatchObject([
      { action: 'release.admit' },
      { actor: 'operator', action: 'ethics.complain' },
      { actor: 'operator', action: 'ethics.decide' },
    ]);
  });
});

test('what was said of a software is kept as it was said', async () => {
  await complain();
  await expect(rig.db.query("UPDATE complaints SET said = 'nothing'")).rejects.toThrow(/append-only/);
  await expect(rig.db.query('DELETE FROM complaints')).rejects.toThrow(/append-only/);
});

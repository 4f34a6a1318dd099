import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readChain } from '../../../server/flows/audit-log.ts';
import { japanDay } from '../../../server/rules/japan-day.ts';
import { aPeopleSide, type PeopleSideRig, type Reply } from '../../support/people-side.ts';

const dayMs = 86_400_000;
let rig: PeopleSideRig;
let software: string;
let names = 0;
let alice: string;
let bob: string;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
  for (const name of ['alice', 'bob']) people.set(name, (await issue('operator', name)).token);
  [alice, bob] = ['alice', 'bob'];
});
afterAll(() => rig.stop());
beforeEach(async () => {
  names += 1;
  software = `mass-${names}.acme`;
  await rig.admit(rig.aPackage({ software, web: undefined }));
});

const people = new Map<string, string>();
const issue = async (by: string, label: string, role = 'operator') =>
  (await as(by, 'POST', '/tokens', { role, label })).body as unknown as { id: string; token: string };
async function as(who: string, method: 'GET' | 'POST', url: string, body: object = {}): Promise<Reply> {
  const token = people.get(who);
  if (token === undefined) return rig.ask(who, method, url, method === 'GET' ? undefined : body);
  const response = await rig.app.inject({
    method,
    url: `/api/v1${url}`,
    headers: { authorization: `Bearer ${token}` },
    ...(method === 'GET' ? {} : { payload: body }),
  });
  return { status: response.statusCode, body: response.json(), headers: response.headers };
}

/** So many sites with this software running; their customers are gone through quickly, straight into the database. */
async function aFleet(count: number): Promise<{ targets: string[]; sites: string[] }> {
  const { customerId } = await rig.aCustomer();
  const first = String((await rig.order(customerId, { software })).body.target);
  await rig.db.query("UPDATE targets SET state = 'ACTIVE', committed_version = '1.0.0', entitled_until = now() WHERE id = $1", [first]);
  await rig.db.query(
    `WITH numbers AS (SELECT lpad($2::text || 'x' || n, 20, '0') AS id, n FROM generate_series(2, $3::int) n),
       c AS (INSERT INTO customers (id, customer_id, created_at) SELECT id, upper(id), now() FROM numbers RETURNING id),
       s AS (INSERT INTO sites (id, customer, created_at) SELECT id, id, now() FROM c RETURNING id),
       f AS (INSERT INTO contract_facts (site_id, effective_on, line, access, hgw_model, denwa, rental, office_eq, bflets, type_changed, recorded_by, recorded_at)
             SELECT s.id, '2026-01-01', 'NEXT_OTHER', 'DIRECT', 'PR-400KI', 'STANDARD', false, 'no', false, 'none', 'test', now() FROM s RETURNING site_id)
     INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, requested_at, requested_by, ready_at, committed_version, entitled_until)
     SELECT f.site_id, t.software_id, t.provider_id, f.site_id, 'ACTIVE', t.release_id, t.plan, now(), 'test', now(), '1.0.0', now()
     FROM f, targets t WHERE t.id = $1`,
    [first, `f${names}`, count],
  );
  const rows = await rig.db.query<{ id: string; site: string }>(
    'SELECT id, site_id AS site FROM targets WHERE software_id = $1 AND ended_at IS NULL ORDER BY id',
    [software],
  );
  return { targets: rows.map(({ id }) => id), sites: rows.map(({ site }) => site) };
}
const states = async () =>
  Object.fromEntries(
    (
      await rig.db.query<{ state: string; count: number }>(
        'SELECT state, count(*) AS count FROM targets WHERE software_id = $1 GROUP BY 1',
        [software],
      )
    ).map(({ state, count }) => [state, count]),
  );
const prohibit = (who: string) => as(who, 'POST', `/software/${software}/prohibit`, { reason: 'against the law' });
const changeOf = ({ body }: Reply) => String((body.context as { change: string }).change);
const approve = (who: string, change: string) => as(who, 'POST', `/changes/${change}/approve`);
const softwareState = async () => (await rig.db.query<{ state: string }>('SELECT state FROM software WHERE id = $1', [software]))[0]?.state;

describe('prohibit', () => {
  test('of ten targets is one person’s word: ended at once with their reason', async () => {
    const { targets } = await aFleet(10);
    expect(await prohibit(alice)).toMatchObject({ status: 200, body: { software, state: 'PROHIBITED', ended: 10 } });
    expect(await states()).toEqual({ TERMINATED: 10 });
    expect((await as(alice, 'GET', `/targets/${targets[0]}`)).body).toMatchObject({
      removedReason: 'prohibited',
      codes: ['SOFTWARE_PROHIBITED'],
    });
  });

  test('of eleven is held: nothing ends, nobody new gets it, and the second person’s word carries it out', async () => {
    await aFleet(11);
    const reply = await prohibit(alice);
    expect(reply).toMatchObject({ status: 422, body: { number: 'E716', code: 'APPROVAL_REQUIRED', context: { actual: 11, limit: 10 } } });
    expect([await states(), await softwareState()]).toEqual([{ ACTIVE: 11 }, 'PUBLISHED']);
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body.number).toBe('E715');

    const change = changeOf(reply);
    expect((await as(bob, 'GET', `/changes/${change}`)).body).toMatchObject({
      kind: 'prohibit',
      subject: software,
      count: 11,
      limit: 10,
      proposedBy: 'alice',
      state: 'waiting',
      detail: { reason: 'against the law' },
    });
    expect((await as(bob, 'GET', `/changes/${change}/targets`)).body).toMatchObject({ items: { length: 11 }, next: null });
    expect((await approve(alice, change)).body.number).toBe('E720');
    expect([await states(), await softwareState()]).toEqual([{ ACTIVE: 11 }, 'PUBLISHED']);
    expect(await approve(bob, change)).toMatchObject({ status: 200, body: { decision: 'approved', ended: 11 } });
    expect([await states(), await softwareState()]).toEqual([{ TERMINATED: 11 }, 'PROHIBITED']);
    expect(await approve(bob, change)).toMatchObject({ status: 409, body: { number: 'E718' } });
  });

  test('asked for again it is the same change, so that saying it twice is no approval', async () => {
    await aFleet(11);
    const change = changeOf(await prohibit(alice));
    expect(changeOf(await prohibit(alice))).toBe(change);
    expect(changeOf(await prohibit(bob))).toBe(change);
    expect(await states()).toEqual({ ACTIVE: 11 });
  });

  test('a token that the proposer issued is no second person, nor is the one that issued it', async () => {
    await aFleet(11);
    const change = changeOf(await prohibit(alice));
    people.set('alice-2', (await issue(alice, 'alice-2')).token);
    people.set('alice-3', (await issue('alice-2', 'alice-3')).token);
    for (const who of ['alice-2', 'alice-3', 'operator']) expect([who, (await approve(who, change)).body.number]).toEqual([who, 'E720']);
    expect(await states()).toEqual({ ACTIVE: 11 });
    await as(bob, 'POST', `/changes/${change}/decline`);
    const own = changeOf(await prohibit('alice-3'));
    expect((await approve(alice, own)).body.number).toBe('E720');
    expect(await states()).toEqual({ ACTIVE: 11 });
  });

  test('what was approved is what ends: a target that came since asks for a new word', async () => {
    await aFleet(11);
    const change = changeOf(await prohibit(alice));
    await rig.admit(rig.aPackage({ software, web: undefined, version: '1.1.0' }));
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body.state).toBe('READY');
    expect(await approve(bob, change)).toMatchObject({ status: 409, body: { number: 'E718' } });
    expect([await states(), await softwareState()]).toEqual([{ ACTIVE: 11, READY: 1 }, 'PUBLISHED']);
    expect((await as(bob, 'GET', `/changes/${change}`)).body.state).toBe('waiting');
    expect((await approve(bob, changeOf(await prohibit(alice)))).body).toMatchObject({ ended: 12 });
  });

  test('only an operator approves', async () => {
    await aFleet(11);
    const change = changeOf(await prohibit(alice));
    for (const who of ['provider:acme', 'technician', 'viewer']) expect((await approve(who, change)).status).toBe(403);
    expect((await approve('nobody', change)).status).toBe(401);
  });

  test('declined, it is as if it had not been asked; expired, it can be asked anew', async () => {
    await aFleet(11);
    const change = changeOf(await prohibit(alice));
    await as(bob, 'POST', `/changes/${change}/decline`);
    expect((await approve(bob, change)).body).toMatchObject({ number: 'E718', context: { state: 'declined' } });
    const { customerId } = await rig.aCustomer();
    expect((await rig.order(customerId, { software })).body.state).toBe('READY');

    const next = changeOf(await prohibit(alice));
    expect(next).not.toBe(change);
    rig.clock.offsetMs = 3 * dayMs;
    expect((await approve(bob, next)).body).toMatchObject({ number: 'E718', context: { state: 'expired' } });
    expect(await states()).toMatchObject({ ACTIVE: 11 });
    expect(changeOf(await prohibit(alice))).not.toBe(next);
    rig.clock.offsetMs = 0;
  });

  test('what a crash left unended is ended at the next look', async () => {
    await aFleet(10);
    await rig.db.query("UPDATE software SET state = 'PROHIBITED', cancelled_at = now() WHERE id = $1", [software]);
    rig.dayTick.start();
    await rig.dayTick.stop();
    expect(await states()).toEqual({ TERMINATED: 10 });
  });
});

test('withdrawal by the provider itself is held like any other', async () => {
  const { targets } = await aFleet(11);
  const reply = await as('provider:acme', 'POST', `/software/${software}/withdraw`, { reason: 'end of life' });
  expect(reply.body.number).toBe('E716');
  await approve(bob, changeOf(reply));
  expect((await as(alice, 'GET', `/targets/${targets[3]}`)).body).toMatchObject({ state: 'TERMINATED', removedReason: 'withdrawn' });
});

describe('cancelling in bulk', () => {
  test('ten pass, eleven wait; approved are exactly those', async () => {
    const { targets } = await aFleet(22);
    expect((await as(alice, 'POST', '/targets/cancel', { targets: targets.slice(0, 10), reason: 'household' })).status).toBe(200);
    expect(await states()).toEqual({ ACTIVE: 12, TERMINATED: 10 });
    // Those that have ended already do not count again.
    expect((await as(alice, 'POST', '/targets/cancel', { targets: targets.slice(0, 12) })).status).toBe(200);
    expect(await states()).toEqual({ ACTIVE: 10, TERMINATED: 12 });
    const others = (await aFleet(0)).targets;
    const reply = await as(alice, 'POST', '/targets/cancel', { targets: others });
    expect([others.length, reply.body.number]).toEqual([11, 'E716']);
    await approve(bob, changeOf(reply));
    expect(await states()).toEqual({ TERMINATED: 23 });
  });
});

describe('a day on which many lines are cancelled', () => {
  const cancelLine = (who: string, site: string) => as(who, 'POST', '/contract/events', { at: { site }, event: { kind: 'cancel-line' } });
  async function night() {
    rig.clock.offsetMs += dayMs;
    rig.dayTick.start();
    await rig.dayTick.stop();
  }
  const waiting = async () =>
    ((await as(bob, 'GET', '/changes')).body.items as { change: string; kind: string; state: string; count: number }[]).filter(
      ({ kind, state }) => kind === 'contract-day' && state === 'waiting',
    );

  test('waits for somebody who entered none of them; whatever ends nothing goes on meanwhile', async () => {
    const { sites } = await aFleet(11);
    const hold = await rig.aCustomer({ bflets: true });
    const onHold = String((await rig.order(hold.customerId, { software })).body.target);
    await as(alice, 'POST', '/contract/events', { at: { site: hold.site }, event: { kind: 'type-change-completed' } });
    for (const site of sites) await cancelLine(alice, site);
    await night();
    expect(await states()).toEqual({ ACTIVE: 11, READY: 1 });
    expect((await as(alice, 'GET', `/targets/${onHold}`)).body.state).toBe('READY');
    const [held, ...others] = await waiting();
    expect([held?.count, others]).toEqual([11, []]);
    await night();
    expect(await waiting()).toHaveLength(1);

    expect((await approve(alice, held?.change ?? '')).body.number).toBe('E720');
    expect(await states()).toEqual({ ACTIVE: 11, READY: 1 });
    expect((await approve(bob, held?.change ?? '')).body).toMatchObject({ ended: 11 });
    expect(await states()).toEqual({ TERMINATED: 11, READY: 1 });
    rig.clock.offsetMs = 0;
  });

  test('what happens to a held site later waits behind it', async () => {
    const { sites, targets } = await aFleet(11);
    for (const site of sites) await cancelLine(alice, site);
    const later = { kind: 'start-line', detail: { line: 'NEXT_GIGA_LINE' } };
    const effectiveOn = japanDay(rig.clock.nowMs() + dayMs);
    await as(alice, 'POST', '/contract/events', { at: { site: sites[0] }, event: later, effectiveOn });
    await night();
    await night();
    const [held] = await waiting();
    expect([await states(), held?.count]).toEqual([{ ACTIVE: 11 }, 11]);
    await approve(bob, held?.change ?? '');
    expect(await states()).toEqual({ TERMINATED: 11 });
    await night();
    const [facts] = await rig.db.query('SELECT line, line_cancelled FROM contract_facts WHERE site_id = $1 ORDER BY id DESC LIMIT 1', [
      sites[0],
    ]);
    expect(facts).toEqual({ line: 'NEXT_GIGA_LINE', line_cancelled: false });
    expect((await as(alice, 'GET', `/targets/${targets[0]}`)).body.state).toBe('TERMINATED');
    rig.clock.offsetMs = 0;
  });

  test('asked for by hand it says so; declined, it is not asked again by itself, and what was voided ends nothing', async () => {
    const { sites } = await aFleet(11);
    const events: unknown[] = [];
    for (const site of sites) events.push((await cancelLine(alice, site)).body.event);
    const reply = await as(bob, 'POST', '/contract/evaluate', { through: 'today' });
    expect(reply).toMatchObject({ status: 422, body: { number: 'E716', context: { actual: 11, changes: { length: 1 } } } });
    await as(bob, 'POST', `/changes/${changeOf(reply)}/decline`);
    await night();
    expect([await states(), await waiting()]).toEqual([{ ACTIVE: 11 }, []]);
    await as(alice, 'POST', `/contract/events/${events[0]}/void`, { reason: 'wrong site' });
    await night();
    // Ten are left, and ten are one person's word.
    expect(await states()).toEqual({ ACTIVE: 1, TERMINATED: 10 });
    rig.clock.offsetMs = 0;
  });
});

test('every proposal and decision is in the audit, and the chain holds', async () => {
  await aFleet(11);
  const change = changeOf(await prohibit(alice));
  await approve(bob, change);
  expect(await rig.db.query('SELECT actor, action FROM audit WHERE subject = $1 ORDER BY seq', [change])).toEqual([
    { actor: 'alice', action: 'change.hold' },
    { actor: 'bob', action: 'change.approve' },
  ]);
  expect(await readChain(rig.db, [])).toMatchObject({ faults: [] });
});

/** Disclosure, erasure and retention against the real schema: what a table forgets to say about itself fails here. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { readChain } from '../../../server/flows/audit-log.ts';
import { ownedTables } from '../../../server/flows/customer-rows.ts';
import { makePrivacy } from '../../../server/flows/privacy.ts';
import { makeSweepRetention } from '../../../server/flows/sweep-retention.ts';
import { dataTables } from '../../../server/rules/personal-data.ts';
import { aPeopleSide, consent, type PeopleSideRig } from '../../support/people-side.ts';
import { aQuietGateway, type QuietGateway } from '../../support/quiet-gateway.ts';

const dayMs = 86_400_000;
const retention = { customers: 1_826, reports: 400, notices: 400, requests: 400 };
let rig: PeopleSideRig;
let home: Home;
let names = 0;
type Home = { customerId: string; customer: string; site: string; target: string; gateway: QuietGateway; reference: string };
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
  await rig.admit(rig.aPackage());
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  home = await aHome();
});

/** A customer of whom something stands in every table that may hold something of one. */
async function aHome(): Promise<Home> {
  names += 1;
  const reference = `PRIVATE-${names}`;
  const { application } = (await rig.ask('provider:acme', 'POST', '/applications', { software: 'heater.acme', reference })).body;
  const { customerId, customer, site } = await rig.aCustomer();
  const gateway = await aQuietGateway(rig, `gw-privacy-${names}`, site);
  const paper = { ...consent, reference, givenBy: `name of ${reference}`, scopes: ['delivery', 'reasonsToProvider'] };
  const { target } = (await rig.order(customerId, { consent: paper, application })).body;
  await gateway.publish();
  await gateway.birth();
  await gateway.reports({ kind: 'end', target: String(target), state: 'committed', version: '1.0.0' as Version });
  await rig.ask('operator', 'POST', '/contract/events', { at: { site }, event: { kind: 'relocate', detail: {} } });
  await rig.ask('operator', 'POST', '/contract/evaluate', { through: 'today' });
  const [row] = await rig.db.query<{ id: string }>('SELECT id FROM consents WHERE reference = $1', [reference]);
  await rig.ask('operator', 'POST', `/consents/${row?.id}/withdraw`, {
    scopes: ['reasonsToProvider'],
    withdrawnBy: reference,
    withdrawnHow: 'x',
  });
  const now = new Date(rig.clock.nowMs());
  await rig.db.query('INSERT INTO silent_deployments (target_id, deadline, found_at) VALUES ($1, $2, $2)', [target, now]);
  await rig.db.query(
    `INSERT INTO target_days (target_id, gateway_id, day, model, hours_up, memory_peak_kib, restarts, data_kib, denied_connections)
     VALUES ($1, $2, '2026-11-22', 'PR-400KI', 1, 1, 1, 1, 1)`,
    [target, gateway.gateway],
  );
  await rig.db.query(
    `INSERT INTO gateway_days (gateway_id, day, model, hours, rss_peak_kib, control_bytes, reconnects) VALUES ($1, $2, 'PR-400KI', 1, 1, 1, 1)`,
    [gateway.gateway, now.toISOString().slice(0, 10)],
  );
  const request = `r${String(names).padStart(25, '0')}`;
  await rig.db.query(
    `INSERT INTO gateway_requests (id, gateway_id, kind, max_bytes, created_by, created_at, expires_at) VALUES ($1, $2, 'bundle', 1, 'test', $3, $4)`,
    [request, gateway.gateway, now, new Date(now.getTime() + dayMs)],
  );
  await rig.db.query('INSERT INTO bundles (request_id, gateway_id, sha256, bytes, received_at) VALUES ($1, $2, $3, 1, $4)', [
    request,
    gateway.gateway,
    'ab'.repeat(32),
    now,
  ]);
  return { customerId, customer, site, target: String(target), gateway, reference };
}

const disclose = async ({ customer }: Home) => {
  const { status, body } = await rig.ask('operator', 'POST', '/customers/disclose', { customer, why: 'asked by the customer' });
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body as { tables: Record<string, { rows: Record<string, unknown>[] }>; reads: Record<string, unknown>[] };
};
const erase = ({ customerId }: Home, more: object = {}) =>
  rig.ask('operator', 'POST', '/customers/erase', { customerId, why: 'asked by the customer', ...more });
const cancel = ({ target }: Home) => rig.ask('operator', 'POST', `/targets/${target}/cancel`, { reason: 'household' });
const purge = ({ gateway, target }: Home) => gateway.reports({ kind: 'purge', target });
const privacy = () => makePrivacy({ ...rig, log: { info: () => {}, warn: () => {}, error: () => {} }, dataGraceDays: 30, retention });
/** The whole database as text, the audit aside. */
async function everything(): Promise<string> {
  const texts = [];
  for (const name of Object.keys(dataTables)) if (name !== 'audit') texts.push(JSON.stringify(await rig.db.query(`SELECT * FROM ${name}`)));
  return texts.join('\n');
}

describe('the list of tables', () => {
  test('names every table of the schema, and no other', async () => {
    const rows = await rig.db.query<{ name: string }>(
      "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'",
    );
    expect(Object.keys(dataTables).sort()).toEqual(rows.map(({ name }) => name).sort());
  });

  test('knows every table that points at a customer, a site or a target as a customer’s', async () => {
    const rows = await rig.db.query<{ name: string }>(
      `SELECT DISTINCT conrelid::regclass::text AS name FROM pg_constraint
       WHERE contype = 'f' AND confrelid IN ('customers'::regclass, 'sites'::regclass, 'targets'::regclass)`,
    );
    const owned = ownedTables.map(({ name }) => name);
    expect(rows.map(({ name }) => name).filter((name) => !owned.includes(name))).toEqual([]);
  });

  test('names columns and periods that are there', async () => {
    for (const [name, { kept }] of Object.entries(dataTables))
      if (kept.kind === 'days' && name !== 'customers')
        await expect(rig.db.query(`SELECT ${kept.from} FROM ${name} t LIMIT 1`)).resolves.toBeDefined();
  });
});

describe('disclosure', () => {
  test('shows something of every table that holds something of a customer, the お客さまID among it, and nothing of a neighbour', async () => {
    const neighbour = await aHome();
    const { tables } = await disclose(home);
    const empty = Object.entries(tables).flatMap(([name, { rows }]) => (rows.length === 0 ? [name] : []));
    expect(empty).toEqual(['erasures']);
    expect(tables.customers?.rows).toMatchObject([{ customer_id: home.customerId }]);
    expect(tables.consents?.rows).toMatchObject([{ reference: home.reference, given_by: `name of ${home.reference}` }]);
    const text = JSON.stringify(tables);
    for (const secret of [neighbour.customerId, neighbour.customer, neighbour.site, neighbour.target, neighbour.gateway.gateway])
      expect([secret, text.includes(secret)]).toEqual([secret, false]);
  });

  test('tells who has looked, and why; this look is in the audit too', async () => {
    await rig.ask('operator', 'POST', '/sites/search', { at: { site: home.site }, why: 'an inquiry' });
    const { reads } = await disclose(home);
    expect(reads).toEqual(
      expect.arrayContaining([expect.objectContaining({ actor: 'operator', detail: expect.objectContaining({ why: 'an inquiry' }) })]),
    );
    expect((await disclose(home)).reads.at(-1)).toMatchObject({ action: 'customer.disclose', detail: { why: 'asked by the customer' } });
  });

  test('a gateway that stood elsewhere before tells nothing of those days', async () => {
    const box = home.gateway.gateway;
    await rig.db.query("UPDATE gateways SET bound_at = now() + interval '1 hour' WHERE id = $1", [box]);
    const { tables } = await disclose(home);
    expect([tables.reports?.rows, tables.notices?.rows, tables.gateway_requests?.rows]).toEqual([[], [], []]);
  });

  test.each(['provider:acme', 'technician', 'viewer'])('is not for %s, and neither is erasure', async (who) => {
    for (const what of ['disclose', 'erase'])
      expect((await rig.ask(who, 'POST', `/customers/${what}`, { customer: home.customer, why: 'x' })).status).toBe(403);
    expect((await rig.ask('operator', 'POST', '/customers/disclose', { customer: home.customer })).status).toBe(400);
  });
});

describe('erasure', () => {
  test('is refused while something is in use, and changes nothing', async () => {
    const before = await disclose(home);
    expect((await erase(home)).body).toMatchObject({ number: 'E728', context: { actual: 1 } });
    expect((await disclose(home)).tables).toEqual(before.tables);
  });

  test('takes everything but what a charge rests on, and the audit’s chain stays whole', async () => {
    await cancel(home);
    await purge(home);
    const { body } = await erase(home);
    expect(body).toMatchObject({
      isFinished: true,
      finishesAt: null,
      erased: { customers: 1, sites: 1, gateways: 1, consents: 1, reports: 2 },
    });
    const { tables } = await disclose(home);
    const left = Object.entries(tables).flatMap(([name, { rows }]) => (rows.length > 0 ? [name] : []));
    expect(left.sort()).toEqual(['customers', 'erasures', 'sites', 'target_events', 'target_plans', 'targets']);
    expect(tables.customers?.rows).toMatchObject([{ customer_id: null, erased_at: expect.any(String) }]);
    const text = await everything();
    expect([text.includes(home.customerId), text.includes(home.reference)]).toEqual([false, false]);
    const [target] = await rig.db.query('SELECT ready_at, ended_on, plan, consent_id FROM targets WHERE id = $1', [home.target]);
    expect(target).toMatchObject({ ready_at: expect.any(Date), ended_on: expect.any(String), plan: 1, consent_id: null });
    expect(await readChain(rig.db, [])).toMatchObject({ faultCount: 0 });
    expect((await rig.order(home.customerId)).body.number).toBe('E112');
  });

  test('while the gateway has not let go: the name goes at once, the rest when it says so, by itself', async () => {
    await cancel(home);
    await home.gateway.publish();
    const { body } = await erase(home);
    expect(body).toMatchObject({ isFinished: false, erased: { customers: 1, consents: 1, contract_facts: 2 } });
    expect(new Date(String(body.finishesAt)).getTime()).toBeGreaterThan(rig.clock.nowMs() + 60 * dayMs);
    expect((await everything()).includes(home.customerId)).toBe(false);
    expect(await home.gateway.notice()).toMatchObject({ targets: [], removed: [{ target: home.target }] });

    await privacy().sweep();
    expect((await disclose(home)).tables.gateways?.rows).toHaveLength(1);
    await purge(home);
    await privacy().sweep();
    expect((await disclose(home)).tables).toMatchObject({ gateways: { rows: [] }, reports: { rows: [] }, notices: { rows: [] } });
    await home.gateway.publish();
    expect(await home.gateway.notice()).toMatchObject({ targets: [], removed: [] });
  });

  test('a gateway that never comes back ends the waiting too: its lease, and the days after it', async () => {
    await cancel(home);
    await erase(home);
    rig.clock.offsetMs = 68 * dayMs;
    await privacy().sweep();
    const [row] = await rig.db.query('SELECT finished_at FROM erasures WHERE customer = $1', [home.customer]);
    expect(row?.finished_at).toEqual(expect.any(Date));
  });

  test('twice is once; the same お客さまID later is another customer', async () => {
    await cancel(home);
    await purge(home);
    await erase(home);
    expect((await erase(home)).body.number).toBe('E112');
    expect((await erase(home, { customerId: undefined, customer: home.customer })).body).toMatchObject({ isFinished: true });
    const again = await rig.ask('operator', 'POST', '/customers', { customerId: home.customerId, facts: { line: 'NEXT_OTHER' } });
    expect(again.status).toBe(201);
    expect(again.body.customer).not.toBe(home.customer);
  });

  test('nothing else takes contract events away', async () => {
    await expect(rig.db.query('DELETE FROM contract_events')).rejects.toThrow(/append-only/);
    await expect(rig.db.query('UPDATE contract_events SET effective_on = effective_on')).rejects.toThrow(/append-only/);
  });
});

describe('the daily sweep', () => {
  test('takes what is past its days and leaves what is not', async () => {
    const sweep = makeSweepRetention({ db: rig.db, clock: rig.clock, retention });
    const count = async () => {
      const { tables } = await disclose(home);
      return ['reports', 'notices', 'bundles', 'gateway_requests', 'silent_deployments', 'targets'].map(
        (name) => tables[name]?.rows.length,
      );
    };
    const before = await count();
    rig.clock.offsetMs = 399 * dayMs;
    await sweep();
    expect(await count()).toEqual(before);
    rig.clock.offsetMs = 440 * dayMs;
    await sweep();
    expect(await count()).toEqual([0, 0, 0, 0, 0, 1]);
  });

  test('erases who has had no contract for longer than customers are kept, and nobody else', async () => {
    await cancel(home);
    await purge(home);
    const other = await aHome();
    rig.clock.offsetMs = 1_825 * dayMs;
    await privacy().sweep();
    expect((await everything()).includes(home.customerId)).toBe(true);
    rig.clock.offsetMs = 1_828 * dayMs;
    await privacy().sweep();
    const text = await everything();
    expect([text.includes(home.customerId), text.includes(other.customerId)]).toEqual([false, true]);
  });
});

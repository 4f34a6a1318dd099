/** The daily list of what is ordered and does not run, and the sweep that finds deployments of which nobody hears. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { makeFindSilent } from '../../../server/flows/find-silent.ts';
import { makeNotDelivered } from '../../../server/flows/not-delivered.ts';
import { makeTellNotDelivered } from '../../../server/flows/tell-not-delivered.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { aPeopleSide, consent, type PeopleSideRig } from '../../support/people-side.ts';
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
  software = `missed-${names}.acme`;
  await rig.admit(rig.aPackage({ software, web: undefined }));
});

type Item = { target: string; because: string; who: string; age: string; reason: { number: string; ja: string } | null };
const list = async (query = '', who = 'operator') =>
  (await rig.ask(who, 'GET', `/report/not-delivered?software=${software}${query}`)).body.items as Item[];
const told = async (query = '', who = 'operator') =>
  (await list(query, who)).map(({ because, reason, who: acts }) => `${because} ${reason?.number ?? '-'} ${acts}`);
const sum = async (who = 'operator') => (await rig.ask(who, 'GET', `/report/not-delivered/sum?software=${software}`)).body;
let homes = 0;
async function aHome(
  facts: object = {},
  paper: object = {},
): Promise<{ target: string; gateway: QuietGateway; customerId: string; site: string }> {
  homes += 1;
  const { customerId, site } = await rig.aCustomer(facts as Record<string, unknown>);
  const gateway = await aQuietGateway(rig, `gw-missed-${homes}`, site);
  const { target } = (await rig.order(customerId, { software, consent: { ...consent, reference: `M-${homes}`, ...paper } })).body;
  return { target: String(target), gateway, customerId, site };
}
const says = ({ gateway, target }: { gateway: QuietGateway; target: string }, state: string, more: object = {}) =>
  gateway.reports({
    kind: state === 'committed' ? 'end' : 'failure',
    target,
    state: state as 'failed',
    version: '1.0.0' as Version,
    ...more,
  });

describe('the list', () => {
  test('has one line for each reason, the oldest order first, and none for what runs', async () => {
    const runs = await aHome();
    await runs.gateway.publish();
    await runs.gateway.birth();
    await says(runs, 'committed');
    const held = await aHome({ bflets: true });
    const never = await aHome();
    const failed = await aHome();
    await failed.gateway.publish();
    await failed.gateway.birth();
    await says(failed, 'failed', { code: 'STORE_NO_SPACE', detail: { need: 10, free: 5 } });
    const waits = await aHome();
    await waits.gateway.publish();
    await waits.gateway.birth();
    expect(await told()).toEqual(['contract E106 customer', 'never-seen E419 installer', 'failed E305 operator', 'waiting - nobody']);
    const items = await list();
    expect(items.map(({ target }) => target)).toEqual([held.target, never.target, failed.target, waits.target]);
    expect(items[2]?.reason?.ja).toContain('10');
    expect(await sum()).toMatchObject({
      targets: 4,
      byWho: { customer: { targets: 1, ages: { day: 1 } }, installer: { targets: 1 }, operator: { targets: 1 }, nobody: { targets: 1 } },
      byReason: { E106: { targets: 1 }, E419: { targets: 1 }, E305: { targets: 1 }, waiting: { targets: 1 } },
    });
  });

  test('goes by who has to act and since when, a page at a time', async () => {
    const first = await aHome();
    const second = await aHome({ bflets: true });
    rig.clock.offsetMs = 8 * dayMs;
    const third = await aHome();
    expect((await list('&who=installer')).map(({ target }) => target)).toEqual([first.target, third.target]);
    expect((await list('&age=month')).map(({ target }) => target)).toEqual([first.target, second.target]);
    const page = (await rig.ask('operator', 'GET', `/report/not-delivered?software=${software}&who=installer&limit=1`)).body;
    expect(page).toMatchObject({ items: [{ target: first.target }], next: first.target });
    const next = (await rig.ask('operator', 'GET', `/report/not-delivered?software=${software}&who=installer&limit=1&after=${page.next}`))
      .body;
    expect(next).toMatchObject({ items: [{ target: third.target }], next: null });
  });

  test('tells of an order that the conditions refused for a month, and no longer', async () => {
    const home = await aHome({ bflets: true });
    await rig.ask('operator', 'POST', `/sites/${home.site}/facts`, { changes: { line: 'CROSS' } });
    expect(await told()).toEqual(['contract E101 customer']);
    expect((await list())[0]?.reason?.ja).toContain('光クロス');
    rig.clock.offsetMs = 31 * dayMs;
    expect(await told()).toEqual([]);
  });

  test('tells of what ran, once its gateway has been away for longer than any lease', async () => {
    const home = await aHome();
    await home.gateway.publish();
    await home.gateway.birth();
    await says(home, 'committed');
    await rig.db.query('UPDATE gateways SET online = false WHERE id = $1', [home.gateway.gateway]);
    rig.clock.offsetMs = 36 * dayMs;
    await home.gateway.publish();
    expect(await told()).toEqual([]);
    rig.clock.offsetMs = 38 * dayMs;
    expect(await told()).toEqual(['lease-ended E419 installer']);
  });

  test('a provider sees its own, with E100 where the customer did not consent to more; nobody else’s', async () => {
    await aHome({ bflets: true });
    await aHome({ bflets: true }, { scopes: ['delivery', 'reasonsToProvider'] });
    expect(await told('', 'provider:acme')).toEqual(['contract E100 customer', 'contract E106 customer']);
    expect(await told('', 'provider:other')).toEqual([]);
    expect((await sum('provider:other')).targets).toBe(0);
    expect((await rig.ask('viewer', 'GET', '/report/not-delivered')).status).toBe(403);
  });

  test('each look is in the audit, with who and how much', async () => {
    await aHome();
    await list('&who=installer', 'technician');
    const [row] = await rig.db.query("SELECT actor, detail FROM audit WHERE action = 'report.read' ORDER BY seq DESC LIMIT 1");
    expect(row).toEqual({ actor: 'technician', detail: { software, who: 'installer', targets: 1, why: 'not delivered' } });
  });

  test('a review is a word for the operator and the provider; a technician reads that deliveries are paused', async () => {
    await aHome();
    await rig.ask('operator', 'POST', `/software/${software}/complaints`, { kind: 'content', said: 'x' });
    for (const who of ['operator', 'provider:acme']) expect((await list('', who))[0]?.reason?.ja).toContain('倫理審査');
    const [seen] = await list('', 'technician');
    expect(seen).toMatchObject({ reason: { number: 'E701', ja: '現在、このソフトウェアの新たな配信を停止しています。' } });
  });

  test('more than one look of the database is one list', async () => {
    const home = await aHome();
    await rig.db.query(
      `WITH numbers AS (SELECT 'missed${names}x' || lpad(n::text, 12, '0') AS id, n FROM generate_series(1, 1100) n),
         c AS (INSERT INTO customers (id, customer_id, created_at) SELECT id, upper(left(id, 20)), now() FROM numbers RETURNING id),
         s AS (INSERT INTO sites (id, customer, created_at) SELECT id, id, now() FROM c RETURNING id)
       INSERT INTO targets (id, software_id, provider_id, site_id, state, release_id, plan, requested_at, requested_by, ready_at)
         SELECT s.id, t.software_id, t.provider_id, s.id, 'READY', t.release_id, t.plan, now(), 'test', now() FROM s, targets t WHERE t.id = $1`,
      [home.target],
    );
    const found = await makeNotDelivered({ db: rig.db, clock: rig.clock, catalogue: eligibilityCatalogues.seed }).sum(
      { software: software as never },
      { name: 'test', role: 'operator' },
    );
    expect(found).toMatchObject({ targets: 1101, byReason: { E113: { targets: 1100 }, E419: { targets: 1 } } });
  });
});

describe('a deployment of which nobody hears', () => {
  const lines: { event: string; target?: string }[] = [];
  const log = {
    info: (event: string, fields = {}) => void lines.push({ event, ...fields }),
    warn: (event: string, fields = {}) => void lines.push({ event, ...fields }),
    error: () => {},
  };
  const find = () => makeFindSilent({ db: rig.db, clock: rig.clock, log })();
  const silentOf = async (target: string) =>
    (await rig.db.query('SELECT version FROM silent_deployments WHERE target_id = $1', [target])).length;
  const noticed = async () => {
    const home = await aHome();
    await home.gateway.publish();
    await home.gateway.birth();
    return home;
  };

  test('is found once its deadline is over, logged once, and told in the list', async () => {
    const { target } = await noticed();
    rig.clock.offsetMs = 14 * dayMs;
    await find();
    expect(await silentOf(target)).toBe(0);
    rig.clock.offsetMs = 14 * dayMs + 3_700_000;
    await find();
    await find();
    expect(await silentOf(target)).toBe(1);
    expect(lines.filter((line) => line.event === 'delivery.silent' && line.target === target)).toHaveLength(1);
    expect(await told()).toEqual(['silent E419 installer']);
  });

  test('what the gateway says later still counts, and another wish has another deadline', async () => {
    const late = await noticed();
    const retried = await noticed();
    rig.clock.offsetMs = 15 * dayMs;
    await find();
    await says(late, 'committed');
    expect((await rig.ask('operator', 'GET', `/targets/${late.target}`)).body.state).toBe('ACTIVE');
    await rig.ask('provider:acme', 'POST', `/targets/${retried.target}/retry`);
    await retried.gateway.publish();
    expect(await told()).toEqual(['waiting - nobody']);
    rig.clock.offsetMs = 30 * dayMs;
    await find();
    expect([await silentOf(late.target), await silentOf(retried.target)]).toEqual([1, 2]);
  });

  test('one that ended, or runs, or waits on hold is none', async () => {
    const failed = await noticed();
    await says(failed, 'failed', { code: 'STORE_NO_SPACE' });
    const done = await noticed();
    await says(done, 'committed');
    const held = await aHome({ bflets: true });
    rig.clock.offsetMs = 20 * dayMs;
    await find();
    for (const { target } of [failed, done, held]) expect(await silentOf(target)).toBe(0);
  });

  test('the sum of the list stands in the log once a day, whichever server comes first', async () => {
    await aHome();
    const notDelivered = makeNotDelivered({ db: rig.db, clock: rig.clock, catalogue: eligibilityCatalogues.seed });
    const tell = makeTellNotDelivered({ db: rig.db, clock: rig.clock, log, notDelivered });
    const times = () => lines.filter(({ event }) => event === 'report.not_delivered').length;
    const before = times();
    await Promise.all([tell(), tell()]);
    await tell();
    expect(times()).toBe(before + 1);
    rig.clock.offsetMs = dayMs;
    await tell();
    expect(times()).toBe(before + 2);
  });
});

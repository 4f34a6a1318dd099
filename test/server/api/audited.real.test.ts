import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Route } from '../../../server/api/route.ts';
import { readChain } from '../../../server/flows/audit-log.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { shownCall } from '../../support/shown-world.ts';

/** A body, because a query would not do: nothing is changed, and no customer is read. */
const pureReads: readonly string[] = ['POST /registrations/quote', 'POST /quotes'];
/** What answers with data of a customer, whatever its method; the audit says why, in the reader's words. */
const customerReads: readonly string[] = [
  'POST /customers/search',
  'POST /customers/disclose',
  'POST /sites/search',
  'POST /contract/events/search',
  'POST /consents/search',
  'POST /explain',
];

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
});
afterAll(() => rig.stop());

type Row = { actor: string; action: string; detail: { why?: string } };
const nameOf = ({ method, path }: Route) => `${method} ${path}`;

/** Sends the route's example. @returns what it left in the audit log; what made it possible came before */
async function rowsOf(route: Route): Promise<{ who: string; rows: Row[] }> {
  const { who, method, url, body } = await shownCall(rig, route);
  const [before] = await rig.db.query<{ seq: number }>('SELECT max(seq) AS seq FROM audit');
  const reply = await rig.ask(who, method, url, body);
  if (reply.status !== route.status) throw new Error(`${nameOf(route)}: ${reply.status} ${JSON.stringify(reply.body)}`);
  const rows = await rig.db.query<Row>('SELECT actor, action, detail FROM audit WHERE seq > $1 ORDER BY seq', [before?.seq ?? 0]);
  return { who, rows };
}

test('every change that the API makes is in the audit log, by the name of whoever made it', async () => {
  const silent: unknown[] = [];
  for (const route of rig.routes.filter(({ method, path }) => method === 'POST' && !pureReads.includes(`POST ${path}`))) {
    const { who, rows } = await rowsOf(route);
    if (!rows.some(({ actor }) => actor === who)) silent.push([nameOf(route), rows.map(({ actor, action }) => `${actor} ${action}`)]);
  }
  expect(silent).toEqual([]);
  expect(await readChain(rig.db, [])).toMatchObject({ faults: [] });
});

test('what is called a pure read changes nothing, and is a route', async () => {
  for (const name of pureReads) {
    const route = rig.routes.find((one) => nameOf(one) === name);
    expect([name, route === undefined ? 'no such route' : (await rowsOf(route)).rows]).toEqual([name, []]);
  }
});

test('every read of a customer’s data says why', async () => {
  for (const name of customerReads) {
    const route = rig.routes.find((one) => nameOf(one) === name);
    if (route === undefined) throw new Error(`no such route: ${name}`);
    const { rows } = await rowsOf(route);
    expect([name, rows.map(({ detail }) => typeof detail.why)]).toEqual([name, rows.map(() => 'string')]);
    expect(rows.length).toBeGreaterThan(0);
  }
});

test('no route answers with a customer’s data that is not on that list', () => {
  const isTelling = ({ example }: Route) => /"(facts|sites|customer)":/.test(JSON.stringify(example?.answer ?? null));
  // A change that answers so is audited as a change.
  const reads = rig.routes.filter((route) => route.method === 'GET' && isTelling(route));
  expect(reads.map(nameOf).filter((name) => !customerReads.includes(name))).toEqual([]);
});

test('no お客さまID is in the audit log, whatever was done', async () => {
  const rows = await rig.db.query<{ found: string }>(
    `SELECT a.action || ' ' || c.customer_id AS found FROM audit a JOIN customers c ON strpos(a::text, c.customer_id) > 0`,
  );
  expect(rows).toEqual([]);
});

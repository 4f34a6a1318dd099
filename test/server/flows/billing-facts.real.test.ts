import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProviderId } from '../../../protocol/fields.ts';
import { insertFleet } from '../../../scripts/support/billed-fleet.ts';
import { sitesOf } from '../../../server/flows/billing-facts.ts';
import type { ChargedTarget } from '../../../server/rules/billing-targets.ts';
import { aDatabase, type TestDatabase } from '../../support/postgres.ts';

const month = '2026-03';
const provider = 'fleet-1' as ProviderId;
let database: TestDatabase;
beforeAll(async () => {
  database = await aDatabase();
  await database.db.tx((sql) => insertFleet(sql, { targets: 60, providers: 1, softwarePerProvider: 4, month }));
  // Three targets a site, of different software each.
  await database.db.query(`UPDATE targets SET site_id = lpad('t' || substring(id from '\\d+$')::int / 3 * 3, 20, '0')`);
});
afterAll(() => database.stop());

async function read(rowsAtOnce?: number): Promise<ChargedTarget[][]> {
  const sites: ChargedTarget[][] = [];
  for await (const some of sitesOf(database.db, provider, month, rowsAtOnce)) sites.push(...some);
  return sites;
}

test.each([1, 2, 3, 4, 7, 59, 60, 61])('read %d rows at a time, every site comes once and whole', async (rowsAtOnce) => {
  const all = await read();
  expect(Math.max(...all.map((site) => site.length))).toBe(3);
  expect(await read(rowsAtOnce)).toEqual(all);
});

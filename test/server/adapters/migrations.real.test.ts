import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../../server/adapters/database.ts';
import { loadMigrations, type Migration, migrate } from '../../../server/adapters/migrations.ts';
import { readChain } from '../../../server/flows/audit-log.ts';
import { aPeopleSide } from '../../support/people-side.ts';
import { anEmptyDatabase, type TestDatabase } from '../../support/postgres.ts';

const all = loadMigrations();
const nowMs = Date.parse('2026-11-22T00:00:00Z');
const filled = readFileSync('fixtures/schema/0001-filled.sql', 'utf8');
/** Tables of the first schema that a later one has dropped on purpose. */
const dropped = new Set(['telemetry']);

let database: TestDatabase;
let isStopped: boolean;
beforeEach(async () => {
  isStopped = false;
  database = await anEmptyDatabase();
});
afterEach(async () => {
  if (!isStopped) await database.stop();
});

const counts = async () => {
  const tables = await database.db.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname",
  );
  const rows = new Map<string, number>();
  for (const { name } of tables)
    rows.set(name, (await database.db.query<{ count: number }>(`SELECT count(*) AS count FROM ${name}`))[0]?.count ?? 0);
  return rows;
};
const names = async () =>
  (await database.db.query<{ name: string }>('SELECT name FROM schema_migrations ORDER BY number')).map(({ name }) => name);

test('released files never change: the filled database was made from exactly this first schema', () => {
  const digests = all.slice(0, 1).map(({ name, sql }) => [name, createHash('sha256').update(sql).digest('hex')]);
  expect(digests).toEqual([['0001-first-schema.sql', '5de583a7bacd423d83d715fa1e6788d14fa5680adeb72fa1d281ee95f91ba9f6']]);
});

test('they are numbered from 1 on, each number once and without a gap', () => {
  expect(all.map(({ number }) => number)).toEqual(all.map((_, at) => at + 1));
});

test('a database of the first schema is carried step by step to the newest, loses nothing, and works on', async () => {
  await migrate(database.db, nowMs, all.slice(0, 1));
  await database.db.query(filled);
  const before = await counts();
  expect([...before].filter(([, count]) => count === 0)).toEqual([]); // every table is there to be carried over
  for (const [at, { name }] of all.entries()) {
    if (at === 0) continue;
    expect(await migrate(database.db, nowMs, all.slice(0, at + 1))).toEqual([name]);
    expect(await migrate(database.db, nowMs, all.slice(0, at + 1))).toEqual([]);
    const after = await counts();
    const lost = [...before].filter(
      ([table, count]) => table !== 'schema_migrations' && !dropped.has(table) && (after.get(table) ?? -1) < count,
    );
    expect([name, lost]).toEqual([name, []]);
  }
  expect(await readChain(database.db, [])).toMatchObject({ rows: 7, faults: [] });

  isStopped = true;
  const rig = await aPeopleSide({ database });
  try {
    for (const { method, path, roles, query } of rig.routes) {
      if (method !== 'GET' || path.includes(':') || query?.safeParse({}).success === false) continue;
      const reply = await rig.ask(roles === 'anyone' || roles.includes('operator') ? 'operator' : 'provider:hinata', 'GET', path);
      expect([path, reply.status, reply.body.en]).toEqual([path, 200, undefined]);
    }
    const [first] = await rig.db.query<{ id: string }>('SELECT id FROM targets WHERE state = $1 ORDER BY id', ['ACTIVE']);
    expect(await rig.ask('operator', 'GET', `/targets/${first?.id}`)).toMatchObject({ status: 200, body: { state: 'ACTIVE' } });
    const found = await rig.ask('operator', 'POST', '/customers/search', { customerId: 'caf-00000003', why: 'a call' });
    expect(found).toMatchObject({ status: 200, body: { sites: { length: 1 } } });
    // What a new order needs of the old rows: provider, software, release, package, price class, site, contract facts.
    const order = { software: 'jp.example.kaze.fan', customerId: 'CAF00000003' };
    expect(await rig.ask('operator', 'POST', '/targets', order)).toMatchObject({ status: 201, body: { state: 'READY', version: '2.0.0' } });
    expect(await rig.ask('operator', 'POST', '/contract/evaluate', { through: 'today' })).toMatchObject({ status: 200 });
    expect(await readChain(rig.db, [])).toMatchObject({ faults: [] });
  } finally {
    await rig.stop();
  }
});

test('servers that start at the same moment run each file once', async () => {
  const { connection } = database;
  const servers = [1, 2, 3].map(() => openDatabase(connection));
  const ran = await Promise.all(servers.map((db) => migrate(db, nowMs)));
  expect(ran.filter((one) => one.length > 0)).toEqual([all.map(({ name }) => name)]);
  await Promise.all(servers.map((db) => db.close()));
});

const changed = (at: number, sql: string): Migration[] => all.map((one, index) => (index === at ? { ...one, sql } : one));

test('a file that ran and reads differently now is refused by its name, and nothing is run', async () => {
  await migrate(database.db, nowMs, all.slice(0, -1));
  await expect(migrate(database.db, nowMs, changed(1, `${all[1]?.sql}\n-- a harmless word`))).rejects.toMatchObject({
    code: 'SCHEMA_UNKNOWN',
    detail: { kind: 'changed', at: all[1]?.name },
  });
  expect(await names()).toHaveLength(all.length - 1);
});

test('a database that is newer than the program is refused by what it has, and so is a number that slips in before', async () => {
  await migrate(database.db, nowMs);
  await expect(migrate(database.db, nowMs, all.slice(0, -1))).rejects.toMatchObject({
    code: 'SCHEMA_UNKNOWN',
    detail: { at: all.at(-1)?.name },
  });
  const slipped = { number: 0, name: '0000-before.sql', sql: 'CREATE TABLE before ()' };
  await expect(migrate(database.db, nowMs, [slipped, ...all])).rejects.toMatchObject({
    code: 'SCHEMA_UNKNOWN',
    detail: { at: slipped.name },
  });
  expect(await names()).toEqual(all.map(({ name }) => name));
});

test('a file that fails leaves nothing behind, neither of itself nor of those before it', async () => {
  const [first = { number: 1, name: '', sql: '' }] = all;
  const broken = { number: 2, name: '0002-broken.sql', sql: 'CREATE TABLE half (); SELECT no_such_function();' };
  await expect(migrate(database.db, nowMs, [first, broken])).rejects.toThrow(/no_such_function/);
  expect(await counts()).toEqual(new Map());
  expect(await migrate(database.db, nowMs)).toEqual(all.map(({ name }) => name));
});

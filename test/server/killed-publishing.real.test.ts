import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../server/adapters/database.ts';
import { anOperator, aProvider, type Operator } from '../support/delivered-server.ts';
import { anInstallation, askApi, databaseOf, type RunningServer, startServer } from '../support/server-process.ts';

/** Power cuts between an upload and its registration, and in the middle of both: nothing is half there, and nothing is paid twice. */
let dir: string;
let server: RunningServer;
let operator: Operator;
let token: string;
let package1: Buffer;
const price = { oneOffYen: 29_480, monthlyYen: 11_000 };
const packages = () => readdirSync(path.join(dir, 'packages')).filter((name) => name !== 'incoming');
const incoming = () => readdirSync(path.join(dir, 'packages', 'incoming'));

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-killed-'));
  const installed = await anInstallation(dir);
  server = await startServer(dir);
  operator = anOperator(installed.token);
  operator.at(server);
  const sign = await aProvider(operator);
  package1 = readFileSync(await sign('1.0.0'));
  ({ token } = (await operator.does('token', 'create', '--role', 'provider', '--provider', 'demo', '--label', 'demo')) as {
    token: string;
  });
});
afterAll(async () => {
  server.process.kill('SIGTERM');
  await server.ended();
  rmSync(dir, { recursive: true, force: true });
});

async function cutPower(): Promise<void> {
  server.process.kill('SIGKILL');
  await server.ended();
}
async function again(): Promise<void> {
  server = await startServer(dir);
  operator.at(server);
}
async function upload(bytes = package1): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.api}/api/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bytes),
  });
  return (await response.json()) as Record<string, unknown>;
}
const register = (release: unknown) => askApi(server.api, token, 'POST', '/registrations', { releases: [release], accept: price });

/** Everything that a registration writes, counted: all of it, or nothing. */
async function written(): Promise<Record<string, number>> {
  const db = openDatabase(databaseOf(dir));
  const counts: Record<string, number> = {};
  for (const table of [
    'software',
    'releases',
    'packages',
    'work_orders',
    'work_order_items',
    'software_classes',
    'measured_releases',
    'measured_packages',
  ]) {
    const [row] = await db.query<{ count: number }>(`SELECT count(*) AS count FROM ${table}`);
    counts[table] = row?.count ?? -1;
  }
  await db.close();
  return counts;
}
const measured = {
  software: 0,
  releases: 0,
  packages: 0,
  work_orders: 0,
  work_order_items: 0,
  software_classes: 0,
  measured_releases: 1,
  measured_packages: 1,
};
const registered = {
  software: 1,
  releases: 1,
  packages: 1,
  work_orders: 1,
  work_order_items: 1,
  software_classes: 1,
  measured_releases: 0,
  measured_packages: 0,
};

test('cut in the middle of an upload: nothing of it is left', async () => {
  const sent = request(`${server.api}/api/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'content-length': package1.length },
  });
  sent.on('error', () => {});
  sent.write(package1.subarray(0, package1.length - 100));
  await expect.poll(() => incoming().length).toBe(1);
  await cutPower();
  await again();
  expect([incoming(), packages()]).toEqual([[], []]);
});

test('cut between the file and its row: the file is swept at the start, and no other', async () => {
  const { sha256 } = await upload();
  const stray = createHash('sha256').update('stray').digest('hex');
  writeFileSync(path.join(dir, 'packages', stray), 'adopted, and the transaction never committed');
  await cutPower();
  await again();
  expect(packages()).toEqual([sha256]);
});

test('cut between upload and registration: the upload waits, and the same upload again is the same', async () => {
  const first = await upload();
  await cutPower();
  await again();
  expect(await written()).toEqual(measured);
  expect(await upload()).toMatchObject({ release: first.release, isRepeat: true, state: 'MEASURED' });
});

/** In the order in which a registration writes. */
const steps = ['work_orders', 'software', 'work_order_items', 'releases', 'packages', 'software_classes', 'audit'];

test.each(steps)(
  'cut in the middle of a registration, before it writes to %s: nothing of it is there, and it can be said again',
  async (table) => {
    const { release } = await upload();
    const db = openDatabase(databaseOf(dir));
    const held = db.tx(async (sql) => {
      await sql.query(`LOCK TABLE ${table} IN SHARE MODE`); // readers pass, the registration waits at its first write
      const reply = register(release).catch(() => undefined);
      const waiting = 'SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted AND relation = $1::regclass';
      await expect.poll(async () => (await sql.query<{ count: number }>(waiting, [table]))[0]?.count).toBeGreaterThan(0);
      await cutPower();
      expect(await reply).toBeUndefined();
    });
    await held.catch(() => undefined); // its database is gone
    await db.close();
    await again();
    expect(await written()).toEqual(measured);
  },
);

test('cut after the answer: what was acknowledged is there, and said again it is the same order', async () => {
  const { release, sha256 } = await upload();
  const first = await register(release);
  await cutPower();
  expect(first.status).toBe(201);
  await again();
  expect(await written()).toEqual(registered);
  expect((await register(release)).body).toMatchObject({ order: first.body.order, state: 'COMPLETED', isRepeat: true });
  expect(await written()).toEqual(registered);
  expect(packages()).toEqual([sha256]);
});

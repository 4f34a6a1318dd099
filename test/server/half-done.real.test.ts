/** A real server that is killed in the middle of requests, and one that takes many large uploads at once. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../server/adapters/database.ts';
import { eligibleFacts } from '../support/people-side.ts';
import { anInstallation, askApi, databaseOf, type RunningServer, startServer } from '../support/server-process.ts';

let dir: string;
let token: string;
let server: RunningServer;
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-half-'));
  ({ token } = await anInstallation(dir));
  server = await startServer(dir);
});
afterAll(async () => {
  server.process.kill('SIGTERM');
  await server.ended();
  rmSync(dir, { recursive: true, force: true });
});

const post = (url: string, body: object) => askApi(server.api, token, 'POST', url, body);
const incoming = () => readdirSync(path.join(dir, 'packages', 'incoming'));

function upload(bytes: Buffer): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' };
  return fetch(`${server.api}/api/v1/releases`, { method: 'POST', headers, body: new Uint8Array(bytes) }).then(
    async (response) => {
      await response.arrayBuffer();
      return response.status;
    },
    () => 0,
  );
}

async function sql<R extends object>(text: string): Promise<R[]> {
  const db = openDatabase(databaseOf(dir));
  try {
    return await db.query<R>(text);
  } finally {
    await db.close();
  }
}

test('eight uploads of 25 MB at once take a few buffers of memory, not two hundred megabytes', async () => {
  const memory = (field: 'VmHWM' | 'VmRSS') =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))?.[1]) / 1_000;
  const bytes = randomBytes(24_900_000);
  await upload(randomBytes(1_000_000)); // whatever is loaded once is there now
  const before = memory('VmRSS');
  writeFileSync(`/proc/${server.process.pid}/clear_refs`, '5'); // proc(5): the peak begins anew
  const statuses = await Promise.all(Array.from({ length: 8 }, () => upload(bytes)));
  const grownMb = memory('VmHWM') - before;
  expect(new Set(statuses)).toEqual(new Set([422])); // no package at all, but read to its end
  expect(grownMb).toBeLessThan(70);
  expect(incoming()).toEqual([]);
});

describe('a server that is killed in the middle of requests', () => {
  type Sent = { key: string; url: string; body: object; answer?: { status: number; body: Record<string, unknown> } };
  const sent: Sent[] = [];
  let numbers = 0;
  let answersUntilKill = 0;

  /** Sends with an Idempotency-Key until the server is gone. */
  async function keepSending(make: (number: number) => { url: string; body: object }): Promise<void> {
    for (;;) {
      numbers += 1;
      const one: Sent = { key: `half-done-${numbers}`, ...make(numbers) };
      sent.push(one);
      try {
        one.answer = await send(one);
        answersUntilKill -= 1;
        if (answersUntilKill === 0) server.process.kill('SIGKILL');
      } catch {
        return;
      }
    }
  }
  async function send({ key, url, body }: Sent) {
    const response = await fetch(`${server.api}/api/v1${url}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  const idOf = (number: number) => String(number).padStart(8, '0');

  test('has done each request whole or not at all; sent again with its key, each is done exactly once', async () => {
    const { body: home } = await post('/customers', { customerId: 'CAF77770000', facts: eligibleFacts });
    const event = { at: { site: home.site }, event: { kind: 'start-rental', detail: {} } };
    for (const answers of [15, 40, 25]) {
      answersUntilKill = answers;
      const sending = [
        keepSending(() => ({ url: '/contract/events', body: event })),
        keepSending((number) => ({ url: '/customers', body: { customerId: `CAF${idOf(number)}`, facts: eligibleFacts } })),
        keepSending((number) => ({ url: '/providers', body: { provider: `p-${number}`, name: 'x' } })),
        keepSending((number) => ({ url: '/gateways', body: { gateway: `hgw-${number}`, model: 'PR-400KI' } })),
        ...[1, 2].map(async () => {
          while ((await upload(randomBytes(3_000_000))) !== 0);
        }),
      ];
      await Promise.all(sending);
      await server.ended();
      server = await startServer(dir);
      expect(incoming()).toEqual([]);
    }
    const lost = sent.filter(({ answer }) => answer === undefined);
    expect([sent.length >= 80, lost.length >= 3]).toEqual([true, true]);

    for (const one of sent) {
      const again = await send(one);
      if (one.answer !== undefined) expect([one.key, again]).toEqual([one.key, one.answer]);
      one.answer = again;
    }
    expect(new Set(sent.map(({ answer }) => answer?.status))).toEqual(new Set([201]));
    const count = (url: string) => sent.filter((one) => one.url === url).length;
    const [rows] = await sql(
      `SELECT (SELECT count(*) FROM contract_events) AS events, (SELECT count(*) FROM customers) AS customers, (SELECT count(*) FROM sites) AS sites,
         (SELECT count(*) FROM contract_facts) AS facts, (SELECT count(*) FROM providers) AS providers, (SELECT count(*) FROM gateways) AS gateways`,
    );
    const customers = count('/customers') + 1;
    expect(rows).toEqual({
      events: count('/contract/events'),
      customers,
      sites: customers,
      facts: customers,
      providers: count('/providers'),
      gateways: count('/gateways'),
    });
  }, 120_000);

  test('has an audit log that is whole, with one row for each thing that was done', async () => {
    const verdict = await askApi(server.api, token, 'GET', '/audit/verify');
    expect(verdict.body).toMatchObject({ isWhole: true });
    const rows = await sql<{ action: string; rows: number; subjects: number }>(
      `SELECT action, count(*) AS rows, count(DISTINCT subject) AS subjects FROM audit
       WHERE action IN ('customer.register', 'provider.register', 'gateway.register') GROUP BY action ORDER BY action`,
    );
    expect(rows).toHaveLength(3);
    for (const { action, rows: written, subjects } of rows) expect([action, written]).toEqual([action, subjects]);
  });

  test('has a file for every package, and none that is half written', async () => {
    const packages = await sql<{ sha256: string }>('SELECT sha256 FROM packages');
    expect(packages.filter(({ sha256 }) => !existsSync(path.join(dir, 'packages', sha256)))).toEqual([]);
    expect(readdirSync(path.join(dir, 'packages')).filter((name) => name !== 'incoming')).toEqual([]);
  });
});

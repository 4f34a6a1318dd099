/** `tsugite-server billing …` as an operator types it, on a server that may die in the middle of it. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type Fleet, insertFleet } from '../../scripts/support/billed-fleet.ts';
import { openDatabase } from '../../server/adapters/database.ts';
import { japanMonth } from '../../server/rules/japan-month.ts';
import { anInstallation, askApi, databaseOf, type Ran, type RunningServer, runVerb, startServer } from '../support/server-process.ts';

const month = '2026-03';
let dir: string;
let token: string;
let server: RunningServer;
let fleet: Fleet;

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-billing-'));
  ({ token } = await anInstallation(dir));
  const config = path.join(dir, 'config.json');
  writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), billing: { registrationNumber: 'T1234567890123' } }));
  server = await startServer(dir);
  const db = openDb();
  fleet = await db.tx((sql) => insertFleet(sql, { targets: 2_000, providers: 2, softwarePerProvider: 3, month }));
  await db.close();
});
afterAll(async () => {
  server.process.kill('SIGTERM');
  await server.ended();
  rmSync(dir, { recursive: true, force: true });
});

const openDb = () => openDatabase(databaseOf(dir), { onLost: () => undefined });
const verb = (...args: string[]): Promise<Ran> =>
  runVerb(['billing', ...args, '--json'], { TSUGITE_TOKEN: token, TSUGITE_SERVER: server.api });
const out = (name: string) => path.join(dir, name);
const digestOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex');

describe('a month', () => {
  test('is closed by nobody when the server is killed in the middle; asked for again it is closed as a whole', async () => {
    const db = openDb();
    const holder = db.tx(async (sql) => {
      // The first provider's targets are written by then, its invoice is not.
      await sql.query('LOCK TABLE invoices IN SHARE MODE');
      const closing = askApi(server.api, token, 'POST', `/billing/months/${month}/close`, {}).catch(() => 'cut off');
      await vi.waitFor(
        async () => expect(await db.query("SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'invoices'::regclass")).toHaveLength(1),
        {
          timeout: 20_000,
        },
      );
      server.process.kill('SIGKILL');
      return closing;
    });
    await expect(holder.catch(() => 'cut off')).resolves.toBe('cut off');
    await server.ended();
    await db.close().catch(() => undefined);

    server = await startServer(dir);
    const after = openDb();
    for (const table of ['billing_months', 'invoices', 'invoice_documents', 'invoice_document_parts', 'charged_work_orders'])
      expect([table, await after.query(`SELECT 1 FROM ${table}`)]).toEqual([table, []]);
    await after.close();
    const closed = await verb('close', month, '--out', out('first'));
    expect(closed).toMatchObject({
      code: 0,
      json: { ok: true, isRepeat: false, invoices: 2, targets: fleet.charged, totalYen: fleet.totalYen },
    });
  });

  test('gives four papers a provider, and the same bytes when it is closed again', async () => {
    const files = readdirSync(out('first')).sort();
    expect(files).toEqual(
      ['fleet-1', 'fleet-2'].flatMap((name) => ['-targets.csv', '.csv', '.html', '.json'].map((end) => `${month}-${name}${end}`)).sort(),
    );
    const again = await verb('close', month, '--out', out('second'));
    expect(again).toMatchObject({ code: 0, json: { isRepeat: true, totalYen: fleet.totalYen } });
    for (const file of files)
      expect([file, digestOf(path.join(out('second'), file))]).toEqual([file, digestOf(path.join(out('first'), file))]);
  });

  test('is brought to a folder again without harm; a file that differs is never overwritten', async () => {
    expect(await verb('show', month, '--out', out('first'))).toMatchObject({ code: 0 });
    const [file = ''] = readdirSync(out('first'));
    writeFileSync(path.join(out('first'), file), 'mine');
    expect(await verb('show', month, '--out', out('first'))).toMatchObject({ code: 1, json: { code: 'FILE_EXISTS' } });
    expect(readFileSync(path.join(out('first'), file), 'utf8')).toBe('mine');
    expect(readdirSync(out('first')).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  test('whose papers were changed in the database is not handed out (E806)', async () => {
    const db = openDb();
    const firstByte = (value: number) =>
      db.query("UPDATE invoice_document_parts SET body = set_byte(body, 0, $1) WHERE kind = 'html' AND provider_id = 'fleet-2'", [value]);
    await db.query('ALTER TABLE invoice_document_parts DISABLE TRIGGER USER');
    await firstByte(0);
    expect(await verb('show', month, '--provider', 'fleet-2', '--out', out('third'))).toMatchObject({ code: 1, json: { number: 'E806' } });
    await firstByte('<'.charCodeAt(0));
    await db.close();
    expect(readdirSync(out('third'))).not.toContain(`${month}-fleet-2.html`);
  });

  test('stands in the list, and one provider of it can be shown alone', async () => {
    expect((await verb('list')).json).toMatchObject({ months: [{ month, invoices: 2, totalYen: fleet.totalYen }] });
    expect((await verb('show', month, '--provider', 'fleet-1')).json).toMatchObject({ perProvider: [{ provider: 'fleet-1' }], files: [] });
  });

  test('that is not over is refused by a rule (exit 3), one that is none is a wrong use (exit 2)', async () => {
    expect(await verb('close', japanMonth(Date.now()), '--no-files')).toMatchObject({ code: 3, json: { number: 'E801' } });
    expect(await verb('close', '2026-13')).toMatchObject({ code: 2 });
    expect(await verb('show', '2026-02')).toMatchObject({ code: 1, json: { code: 'NOT_FOUND' } });
  });

  test('has a list of who is charged without running anything', async () => {
    expect((await verb('not-installed', month)).json).toMatchObject({ ok: true, targets: expect.any(Array) });
  });
});

test('a person reads yen, counts and where the files are', async () => {
  const environment = { TSUGITE_TOKEN: token, TSUGITE_SERVER: server.api };
  const { out: text } = await runVerb(['billing', 'close', month, '--out', out('fourth')], environment);
  expect(text).toContain(`${month} を締めました`);
  expect(text).toContain(`合計（税込）${fleet.totalYen} 円`);
  expect(text).toContain(`8 ファイル / files → ${out('fourth')}`);
});

import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../server/adapters/database.ts';
import { aDebianPostgres, createDatabase, type DebianPostgres } from '../support/debian-postgres.ts';
import { anInstallation, askApi, type RunningServer, runVerb, startServer } from '../support/server-process.ts';

const place = mkdtempSync(path.join(tmpdir(), 'tsugite-url-'));
chmodSync(place, 0o711);
const dir = path.join(place, 'server');
let postgres: DebianPostgres;
let token: string;
beforeAll(async () => {
  postgres = await aDebianPostgres();
  ({ token } = await anInstallation(dir, at(postgres.url())));
});
afterAll(async () => {
  await postgres.remove();
  rmSync(place, { recursive: true, force: true });
});
const at = (url: string) => ({ DATABASE_URL: url });
const run = (url: string, data = dir) => runVerb(['run', '--data', data, '--json'], at(url));
const stop = async (server: RunningServer) => {
  server.process.kill('SIGTERM');
  expect(await server.ended()).toBe(0);
};

describe('a database that will not do is told by a code, and nothing of the password', () => {
  const secret = 'only%20for%20tests';
  test.each([
    ['a wrong password', (url: string) => url.replace(secret, 'guessed'), 'E942', 'password'],
    ['no password', (url: string) => url.replace(`:${secret}`, ''), 'E942', 'password'],
    ['a database that is not there', () => postgres.url('nothing'), 'E942', 'missing'],
    ['a server that is not there', (url: string) => url.replace(/host=[^&]*/, 'host=/nowhere'), 'E950', undefined],
    ['a server without TLS where TLS is asked for', (url: string) => `${url}&sslmode=require`, 'E942', 'encryption'],
  ])('%s', async (_, change, number, kind) => {
    const { code, json, out, err } = await run(change(postgres.url()));
    expect([code, json.number, json.kind]).toEqual([1, number, kind]);
    expect(out + err).not.toMatch(/only for tests|only%20for|guessed/);
  });

  test.each([
    [
      'another collation',
      `CREATE DATABASE x_order OWNER tsugite TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'ja-JP' LOCALE 'C'`,
      'x_order',
      'E943',
    ], // prettier-ignore
    ['another encoding', `CREATE DATABASE x_text OWNER tsugite TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'`, 'x_text', 'E943'],
    ['a schema that is somebody else’s', `CREATE DATABASE x_rights TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`, 'x_rights', 'E942'],
  ])('%s', async (_, create, name, number) => {
    await postgres.asSuperuser([create], 'postgres');
    const fresh = path.join(place, name);
    const { code, json } = await runVerb(['init', '--data', fresh, '--json'], at(postgres.url(name)));
    expect([code, json.number]).toEqual([1, number]);
  });

  test('a database that may only be read', async () => {
    await postgres.asSuperuser(['ALTER ROLE tsugite SET default_transaction_read_only = on'], 'postgres');
    expect((await run(postgres.url())).json.number).toBe('E943');
    await postgres.asSuperuser(['ALTER ROLE tsugite RESET default_transaction_read_only'], 'postgres');
  });

  test('another installation’s database, and an empty one, are refused and stay as they are', async () => {
    const other = path.join(place, 'other');
    await postgres.asSuperuser([createDatabase.replace('tsugite', 'other'), createDatabase.replace('tsugite', 'empty')], 'postgres');
    await anInstallation(other, at(postgres.url('other')));
    expect((await run(postgres.url('other'))).json).toMatchObject({ number: 'E943', kind: 'other-installation' });
    expect((await run(postgres.url('empty'))).json).toMatchObject({ number: 'E943', kind: 'other-installation' });
    const empty = openDatabase({ connectionString: postgres.url('empty') });
    expect(await empty.query("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([]);
    await empty.close();
  });

  test('no DATABASE_URL at all, where the folder has no database: no empty one is made in its place', async () => {
    expect((await runVerb(['run', '--data', dir, '--json'])).json).toMatchObject({ number: 'E943', kind: 'gone' });
    expect(existsSync(path.join(dir, 'postgres'))).toBe(false);
  });
});

test('a role or a database that has its own ideas of dates and zones changes nothing', async () => {
  await postgres.asSuperuser([`ALTER ROLE tsugite SET datestyle = 'German'`, `ALTER ROLE tsugite SET timezone = 'Asia/Tokyo'`], 'postgres');
  const db = openDatabase({ connectionString: postgres.url() });
  expect(
    await db.query(`SELECT '2026-11-22'::date AS day, '2026-11-22T00:00:00Z'::timestamptz AS time, 9007199254740991::bigint AS most`),
  ).toEqual([{ day: '2026-11-22', time: new Date('2026-11-22T00:00:00Z'), most: Number.MAX_SAFE_INTEGER }]);
  await db.close();
  await postgres.asSuperuser(['ALTER ROLE tsugite RESET ALL'], 'postgres');
});

test('a listener hears again after the database was gone, and is told to look at what it missed', async () => {
  const heard: string[] = [];
  const lost: Error[] = [];
  const db = openDatabase({ connectionString: postgres.url() }, { onLost: (error) => void lost.push(error) });
  await db.listen('tsugite_notice_due', (payload) => void heard.push(payload));
  const say = (payload: string) => db.query(`SELECT pg_notify('tsugite_notice_due', $1)`, [payload]);
  await say('before');
  await expect.poll(() => heard).toEqual(['before']);
  await postgres.stop('SIGQUIT'); // as a crash
  await expect.poll(() => lost.length).toBeGreaterThan(0);
  await postgres.start();
  await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['before', '']);
  await say('after');
  await expect.poll(() => heard).toEqual(['before', '', 'after']);
  await db.close();
});

test('a transaction that loses the database between two statements fails by itself, and the process goes on', async () => {
  const db = openDatabase({ connectionString: postgres.url() }, { maxConnections: 1 });
  const broken = db.tx(async (sql) => {
    await sql.query('SELECT 1');
    await postgres.stop();
    await postgres.start();
    await new Promise((resolve) => setTimeout(resolve, 50)); // its end arrives while nobody asks
    await sql.query('SELECT 2');
  });
  await expect(broken).rejects.toThrow();
  expect(await db.query('SELECT 3 AS three')).toEqual([{ three: 3 }]);
  await db.close();
});

describe('a server', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer(dir, at(postgres.url()));
  });
  afterAll(() => stop(server));
  const add = (provider: string) => askApi(server.api, token, 'POST', '/providers', { provider, name: 'x' });

  test('says 503 while its database is away, and goes on when it is back', async () => {
    expect((await add('before')).status).toBe(201);
    await postgres.stop();
    expect(await add('during')).toMatchObject({ status: 503, body: { number: 'E950' } });
    await postgres.start();
    await expect.poll(async () => (await add('after')).status, { timeout: 10_000 }).toBe(201);
    expect(server.process.exitCode).toBeNull();
    expect(server.log()).toMatch(/database.connection_lost/);
  });

  test('says that the database has no connection left, with its own remedy', async () => {
    // One connection for all: whoever was there has to ask anew, and the next one is refused.
    await postgres.asSuperuser(
      ['ALTER ROLE tsugite CONNECTION LIMIT 1', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tsugite'"],
      'postgres',
    );
    const reply = () => askApi(server.api, token, 'GET', '/providers');
    await expect
      .poll(async () => (await Promise.all([reply(), reply(), reply()])).find(({ status }) => status === 503)?.body, { timeout: 10_000 })
      .toMatchObject({ number: 'E950', context: { kind: 'connections' } });
    await postgres.asSuperuser(['ALTER ROLE tsugite CONNECTION LIMIT -1'], 'postgres');
    await expect.poll(async () => (await reply()).status, { timeout: 10_000 }).toBe(200);
  });
});

describe('its backup', () => {
  const out = path.join(place, 'kept');
  const restored = path.join(place, 'restored');
  /** As a restored dump would be; whatever still closes its connection is told to hurry. */
  const copyDatabase = (name: string) =>
    postgres.asSuperuser(
      [
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tsugite' AND pid <> pg_backend_pid()",
        `CREATE DATABASE ${name} OWNER tsugite TEMPLATE tsugite`,
      ],
      'postgres',
    );

  test('is refused with the way to go, and takes the rest when it is told to', async () => {
    expect((await runVerb(['backup', '--data', dir, '--out', out, '--json'], at(postgres.url()))).json.number).toBe('E947');
    const made = await runVerb(['backup', '--data', dir, '--out', out, '--without-database', '--json'], at(postgres.url()));
    expect(made.json).toMatchObject({ ok: true, database: 'elsewhere', rootVersion: 1 });
    expect(existsSync(path.join(out, 'database'))).toBe(false);
    // Without the URL that the server has, the verb does not know: it finds no database, and says so.
    expect((await runVerb(['backup', '--data', dir, '--out', `${out}-2`, '--json'])).json).toMatchObject({ number: 'E943', kind: 'gone' });
  });

  test('is restored beside the database that was restored before, which is then held', async () => {
    await copyDatabase('again');
    const restore = (...more: string[]) => ['restore', out, '--data', restored, ...more, '--json'];
    expect((await runVerb(restore())).json).toMatchObject({ number: 'E947', kind: 'restore' });
    expect((await runVerb(restore(), at(postgres.url('again')))).json).toMatchObject({ ok: true });
    const server = await startServer(restored, at(postgres.url('again')));
    expect((await askApi(server.api, token, 'GET', '/restore')).body).toMatchObject({ isHeld: true, why: 'restored' });
    await stop(server);
  });

  test('a database that somebody restored without a word is held too, by what the data folder remembers', async () => {
    await copyDatabase('old');
    const server = await startServer(dir, at(postgres.url()));
    await askApi(server.api, token, 'POST', '/providers', { provider: 'later', name: 'x' });
    await stop(server);
    cpSync(dir, `${dir}-2`, { recursive: true });
    const again = await startServer(`${dir}-2`, at(postgres.url('old')));
    expect((await askApi(again.api, token, 'GET', '/restore')).body).toMatchObject({ isHeld: true, why: 'went-back' });
    await stop(again);
  });
});

import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import { openDatabase } from '../../server/adapters/database.ts';
import { systemRandom } from '../../server/adapters/random.ts';
import { systemActor } from '../../server/flows/actor.ts';
import { saveFacts } from '../../server/flows/contract-facts.ts';
import { makeEndSoftware } from '../../server/flows/end-software.ts';
import { makeEvaluateDays } from '../../server/flows/evaluate-days.ts';
import { oneAtATime } from '../../server/flows/one-at-a-time.ts';
import { makePublishNotice } from '../../server/flows/publish-notice.ts';
import { lockSoftwareIds } from '../../server/flows/stored-releases.ts';
import type { Db } from '../../server/ports.ts';
import { eligibilityCatalogues } from '../../server/rules/eligibility-catalogue.ts';
import { japanDay } from '../../server/rules/japan-day.ts';
import { aDebianPostgres, type DebianPostgres } from '../support/debian-postgres.ts';
import { aGatewaySide, type GatewaySideRig } from '../support/gateway-side.ts';
import { aPeopleSide } from '../support/people-side.ts';
import { anInstallation, askApi, runVerb, startServer } from '../support/server-process.ts';

describe('flows of two servers over one database', () => {
  let rig: GatewaySideRig;
  let other: Db;
  let gateway: GatewayId;
  let site: RandomId;
  beforeAll(async () => {
    rig = await aGatewaySide();
    other = openDatabase(rig.connection);
    ({ gateway, site } = await rig.aGateway('gw-two-servers'));
    const facts = {
      line: 'NEXT_OTHER',
      access: 'DIRECT',
      collabCarrier: null,
      hgwModel: 'PR-500KI',
      denwa: 'STANDARD',
      rental: false,
    } as const;
    const rest = { officeEq: 'no', bflets: false, typeChanged: 'none', lineCancelled: false, hgwCancelled: false } as const;
    await saveFacts(rig.db, site, { ...facts, ...rest }, { effectiveOn: '2026-01-01', by: 'test', atMs: rig.clock.nowMs() });
  });
  afterAll(async () => {
    await other.close();
    await rig.stop();
  });
  const log = { info: () => {}, warn: () => {}, error: () => {} };
  const parts = (db: Db) => ({ db, clock: rig.clock, random: systemRandom, log, catalogue: eligibilityCatalogues.seed });

  test('no two notices of a gateway have one version, and the last one that is handed over is the newest', async () => {
    const handed: number[] = [];
    const link = {
      publishNotice: (_: GatewayId, envelope: Uint8Array) => void handed.push(rig.openNotice(Buffer.from(envelope)).version),
      publishAck: () => {},
      cutOff: () => {},
    };
    const publishers = [rig.db, other].map((db) => makePublishNotice({ ...parts(db), signer: rig.signer, link, policy: rig.policy }));
    const said = await Promise.all(Array.from({ length: 30 }, (_, at) => publishers[at % 2]?.(gateway, { isForced: true })));
    expect(new Set(said)).toEqual(new Set(['published']));
    const rows = await rig.db.query<{ version: number }>('SELECT version FROM notices WHERE gateway_id = $1 ORDER BY version', [gateway]);
    const versions = rows.map(({ version }) => version);
    expect([versions.length, new Set(versions).size]).toEqual([30, 30]);
    expect(handed).toHaveLength(30);
    expect(handed.at(-1)).toBe(versions.at(-1));
  });

  test('a day’s end that both look at is carried out once', async () => {
    const { target } = await rig.aTarget(site, { software: 'day.end', state: 'ACTIVE' });
    await rig.db.query(
      `INSERT INTO contract_events (site_id, kind, effective_on, entered_at, entered_by) VALUES ($1, 'cancel-line', $2, now(), 'test')`,
      [site, japanDay(rig.clock.nowMs())],
    );
    const both = [rig.db, other].map((db) => makeEvaluateDays(parts(db)));
    const done = await Promise.all([...both, ...both].map((evaluate) => evaluate({ through: 'today', actor: systemActor })));
    expect(done.filter((one) => one !== 'busy' && one.moves.length > 0)).toHaveLength(1);
    expect(await rig.db.query('SELECT event FROM target_events WHERE target_id = $1', [target])).toEqual([{ event: 'end' }]);
    expect(await rig.db.query('SELECT outcome FROM contract_events_settled')).toEqual([{ outcome: 'applied' }]);
  });

  test('a software that ended for everybody ends each target once, whoever finishes it', async () => {
    const homes = await Promise.all(Array.from({ length: 12 }, (_, at) => rig.aGateway(`gw-ended-${at}`)));
    const targets: RandomId[] = [];
    for (const home of homes) targets.push((await rig.aTarget(home.site, { software: 'ends.soon', state: 'ACTIVE' })).target);
    await rig.db.query(`UPDATE software SET state = 'PROHIBITED', state_reason = 'x', cancelled_at = now() WHERE id = 'ends.soon'`);
    await Promise.all([rig.db, other, rig.db, other].map((db) => makeEndSoftware(parts(db)).finish()));
    const ends = await rig.db.query<{ target: string; count: number }>(
      `SELECT target_id AS target, count(*) AS count FROM target_events WHERE event = 'end' AND target_id = ANY($1) GROUP BY 1`,
      [targets],
    );
    expect([ends.length, new Set(ends.map(({ count }) => count))]).toEqual([12, new Set([1])]);
  });

  test('work that one does for all is left by whoever comes meanwhile, and free when it is done or its server died', async () => {
    let finish = () => {};
    const lock = 12_345;
    const first = oneAtATime(rig.db, lock, () => new Promise<string>((resolve) => (finish = () => resolve('done'))));
    await expect
      .poll(async () => (await rig.db.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = $1`, [lock])).length)
      .toBe(1);
    expect(await oneAtATime(other, lock, async () => 'mine')).toBeUndefined();
    finish();
    expect(await first).toBe('done');
    expect(await oneAtATime(other, lock, async () => 'mine')).toBe('mine');
  });
});

test('a package whose row is on its way in one server is not swept by another that starts', async () => {
  const rig = await aPeopleSide();
  const other = openDatabase(rig.connection);
  const stray = 'ab'.repeat(32);
  let commit = () => {};
  const uploading = other.tx(async (sql) => {
    await lockSoftwareIds(sql, ['heater.acme']);
    rig.strayFile(stray); // it has its name, and its row comes with the commit
    await new Promise<void>((resolve) => (commit = resolve));
    await sql.query(`INSERT INTO replaced_packages (sha256, software_id, replaced_at) VALUES ($1, 'heater.acme', now())`, [stray]);
  });
  await expect.poll(() => rig.packageFiles()).toContain(stray);
  const sweeping = rig.sweepPackages();
  await expect.poll(async () => (await rig.db.query('SELECT 1 FROM pg_locks WHERE NOT granted')).length).toBe(1);
  commit();
  await uploading;
  expect(await sweeping).toBe(0);
  expect(rig.packageFiles()).toContain(stray);
  await other.close();
  await rig.stop();
});

describe('two server processes over one PostgreSQL', () => {
  const place = mkdtempSync(path.join(tmpdir(), 'tsugite-two-'));
  chmodSync(place, 0o711);
  const [one, two] = [path.join(place, 'one'), path.join(place, 'two')];
  let postgres: DebianPostgres;
  let token: string;
  beforeAll(async () => {
    postgres = await aDebianPostgres();
    ({ token } = await anInstallation(one, { DATABASE_URL: postgres.url() }));
    cpSync(one, two, { recursive: true });
    rmSync(path.join(two, 'packages'), { recursive: true });
    symlinkSync(path.join(one, 'packages'), path.join(two, 'packages'));
  });
  afterAll(async () => {
    await postgres.remove();
    rmSync(place, { recursive: true, force: true });
  });

  test('the second with a broker of its own is refused with the way to go, and takes the place of a first that was killed', async () => {
    const environment = { DATABASE_URL: postgres.url() };
    const first = await startServer(one, environment);
    const upload = path.join(one, 'packages', 'incoming', 'of-the-first');
    writeFileSync(upload, 'x');
    expect(await runVerb(['run', '--data', two, '--json'], environment)).toMatchObject({ code: 1, json: { number: 'E949' } });
    expect(existsSync(upload)).toBe(true);
    expect((await askApi(first.api, token, 'GET', '/status')).status).toBe(200);
    first.process.kill('SIGKILL');
    await first.ended();
    const second = await startServer(two, environment);
    expect((await askApi(second.api, token, 'GET', '/status')).status).toBe(200);
    second.process.kill('SIGTERM');
    expect(await second.ended()).toBe(0);
  });
});

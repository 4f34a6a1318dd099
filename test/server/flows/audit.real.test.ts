import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openAuditHeads } from '../../../server/adapters/audit-heads.ts';
import { type Actor, systemActor } from '../../../server/flows/actor.ts';
import { appendAudit } from '../../../server/flows/audit.ts';
import { makeAuditLog, readChain } from '../../../server/flows/audit-log.ts';
import { makeAuditKeeper } from '../../../server/flows/keep-audit-head.ts';
import { writeAuditHead } from '../../../server/rules/audit-chain.ts';
import { aDatabase, asSuperuser, type TestDatabase } from '../../support/postgres.ts';

const alice: Actor = { name: 'alice', role: 'operator' };
const startMs = Date.parse('2026-11-22T00:00:00Z');
let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await aDatabase();
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-audit-'));
});
afterAll(async () => {
  await database.stop();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await tamper('DELETE FROM audit');
  rmSync(headsFile(), { force: true });
});

const headsFile = () => path.join(folder, 'audit-heads');
const heads = () => openAuditHeads(headsFile());
const clock = { nowMs: () => startMs, after: () => () => {} };
const auditLog = () => makeAuditLog({ db: database.db, clock, heads: heads() });

async function write(count: number): Promise<void> {
  for (let at = 1; at <= count; at += 1)
    await database.db.tx((sql) =>
      appendAudit(
        sql,
        { actor: alice, action: 'customer.read', subject: `s-${at}`, detail: { at, since: new Date(0), gone: undefined }, why: 'a call' },
        startMs + at,
      ),
    );
}

/** What a superuser can do who wants to: the triggers are no wall for it. */
async function tamper(sql: string): Promise<void> {
  await asSuperuser(database.connection, `BEGIN; SET LOCAL session_replication_role = replica; ${sql}; COMMIT`);
}

test('rows are appended by many at once, and read back as one chain without a fork', async () => {
  await Promise.all(Array.from({ length: 8 }, () => write(5)));
  expect(await readChain(database.db, [])).toMatchObject({ rows: 40, faults: [] });
});

test('the table refuses to be changed by mistake', async () => {
  await write(1);
  for (const statement of ["UPDATE audit SET actor = 'bob'", 'DELETE FROM audit', 'TRUNCATE audit'])
    await expect(database.db.query(statement)).rejects.toThrow(/append-only/);
});

test.each([
  ["UPDATE audit SET actor = 'bob' WHERE seq = 6", [{ kind: 'changed', seq: 6 }]],
  [`UPDATE audit SET detail = jsonb_set(detail, '{why}', '"none"') WHERE seq = 2`, [{ kind: 'changed', seq: 2 }]],
  ['DELETE FROM audit WHERE seq IN (4, 5)', [{ kind: 'removed', seq: 4, to: 5 }]],
  [
    'UPDATE audit SET seq = CASE seq WHEN 3 THEN 30 ELSE 80 END WHERE seq IN (3, 8); UPDATE audit SET seq = CASE seq WHEN 30 THEN 8 ELSE 3 END WHERE seq IN (30, 80)',
    [
      { kind: 'moved', seq: 3, from: 8 },
      { kind: 'moved', seq: 8, from: 3 },
    ],
  ], // prettier-ignore
])('%s by somebody who can is named', async (statement, faults) => {
  await write(10);
  await tamper(statement);
  expect(await auditLog().verify()).toMatchObject({ faults });
});

test('an end that was cut off is told by the head that the data folder keeps, and by one that a person kept', async () => {
  await write(10);
  const whole = await auditLog().verify();
  expect(readFileSync(headsFile(), 'utf8')).toContain(writeAuditHead(whole.head ?? { seq: 0, hash: '' }));
  expect(statSync(headsFile()).mode & 0o777).toBe(0o600);
  await tamper('DELETE FROM audit WHERE seq > 7');
  expect(await auditLog().verify()).toMatchObject({ faults: [{ kind: 'cut-off', seq: 8, to: 10 }] });

  rmSync(headsFile());
  expect((await auditLog().verify()).faultCount).toBe(0);
  expect(await auditLog().verify(whole.head && [whole.head])).toMatchObject({ faults: [{ kind: 'cut-off', seq: 8, to: 10 }] });
});

test('a log that is not whole is not kept as a new head', async () => {
  await write(3);
  await tamper("UPDATE audit SET actor = 'bob' WHERE seq = 2");
  expect((await auditLog().verify()).faultCount).toBe(1);
  expect(await heads().kept()).toEqual([]);
});

test('the server keeps a head at its start, every day and at its end, and one that a power cut tore is no head', async () => {
  const lines: unknown[] = [];
  const log = { info: (event: string, fields = {}) => void lines.push({ event, ...fields }), warn: () => {}, error: () => {} };
  let tomorrow = () => {};
  const after = (ms: number, run: () => void) => {
    expect(ms).toBe(86_400_000);
    tomorrow = run;
    return () => {};
  };
  await write(2);
  const keeper = makeAuditKeeper({ db: database.db, clock: { nowMs: clock.nowMs, after }, log, heads: heads() });
  keeper.start();
  await expect.poll(() => heads().kept()).toHaveLength(1);
  await write(1);
  tomorrow();
  await expect.poll(() => heads().kept()).toHaveLength(2);
  appendFileSync(headsFile(), '4:abcdef');
  await write(1);
  await keeper.stop();
  await keeper.stop(); // nothing new: nothing is written
  expect((await heads().kept()).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  expect(lines).toMatchObject([2, 3, 4].map((seq) => ({ event: 'audit.head', head: expect.stringMatching(`^${seq}:`) })));
});

test('the list is filtered and told a page at a time, newest first', async () => {
  await write(5);
  await database.db.tx((sql) => appendAudit(sql, { actor: systemActor, action: 'token.create', subject: 't-1' }, startMs + 86_400_000));
  const list = (filter: object, page: { limit: number; after?: number }) => auditLog().list(filter, { after: undefined, ...page });
  expect(await list({}, { limit: 2 })).toMatchObject({ items: [{ seq: 6 }, { seq: 5 }], next: '5' });
  expect(await list({}, { limit: 4, after: 5 })).toMatchObject({ items: [{ seq: 4 }, { seq: 3 }, { seq: 2 }, { seq: 1 }], next: null });
  const found = async (filter: object) => (await list(filter, { limit: 10 })).items.map(({ seq }) => seq);
  expect(await found({ actor: 'system' })).toEqual([6]);
  expect(await found({ action: 'customer' })).toEqual([5, 4, 3, 2, 1]);
  expect(await found({ action: 'cust' })).toEqual([]);
  expect(await found({ subject: 's-3' })).toEqual([3]);
  expect(await found({ to: '2026-11-22' })).toEqual([5, 4, 3, 2, 1]);
  expect(await found({ from: '2026-11-23', to: '2026-11-23' })).toEqual([6]);
});

/** The operator's verbs about the service's rules, each through the real program, on a server with a real gateway. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aGatewayMemory, anOperator, anOrderedGateway, aProvider, type Operator } from '../support/delivered-server.ts';
import { anInstallation, type RunningServer, runVerb, startServer } from '../support/server-process.ts';

let dir: string;
let server: RunningServer;
let operator: Operator;
let token: string;
let home: Awaited<ReturnType<typeof anOrderedGateway>>;
let gateway: Awaited<ReturnType<ReturnType<typeof aGatewayMemory>['connect']>>;
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'tsugite-rules-'));
  chmodSync(dir, 0o711);
  ({ token } = await anInstallation(dir));
  server = await startServer(dir);
  operator = anOperator(token);
  operator.at(server);
  await operator.does('release', 'admit', await (await aProvider(operator))('1.0.0'));
  home = await anOrderedGateway(operator, server);
}, 120_000);
afterAll(async () => {
  gateway?.client.client.end(true);
  server?.process.kill('SIGTERM');
  await server?.ended();
  rmSync(dir, { recursive: true, force: true });
});

/** As a person reads it. */
const said = async (...args: string[]) => {
  const { code, out, err } = await runVerb(args, { TSUGITE_TOKEN: token, TSUGITE_SERVER: server.api });
  if (code !== 0) throw new Error(out + err);
  return out;
};

test('catalogue: the rows of a day, each with its standing', async () => {
  expect(await operator.does('catalogue', '--on', '2026-11-22')).toMatchObject({ ok: true, profile: 'seed', day: '2026-11-22' });
  const lines = await said('catalogue');
  expect(lines).toContain('○ 対象 / in force');
  expect(lines).toContain('PR-400KI PR-400MI PR-400NE');
  expect((await operator.run('catalogue', '--on', '2026-02-30')).json).toMatchObject({ number: 'E932' });
});

test('explain and report not-delivered tell the same story while the gateway is still away', async () => {
  const explained = await said('explain', home.gateway, 'demo.ipv4');
  expect(explained).toMatch(/▶× ホームゲートウェイは登録されているか[\s\S]*E907[\s\S]*対処（工事業者）[\s\S]*E419/);
  expect(explained).toContain('→ ホームゲートウェイは登録されているか');
  expect(await operator.does('report', 'not-delivered')).toMatchObject({
    targets: 1,
    items: [{ target: home.target, because: 'not-enrolled' }],
  });
  const list = await said('report', 'not-delivered', '--who', 'installer');
  expect(list).toMatch(/配信されていないもの.*1件[\s\S]*対処 工事業者: 1件[\s\S]*E907/);
  expect(await operator.does('report', 'not-delivered', '--sum')).toMatchObject({ byReason: { E907: { targets: 1 } } });
});

test('a delivery over the real broker climbs the ladder to its end', async () => {
  gateway = await aGatewayMemory(home.gateway, home.identity).connect(server);
  const { targets } = await gateway.applies((notice) => notice.targets.length === 1);
  expect(await gateway.downloads(targets[0] as never)).toBe(true);
  await gateway.reports({ kind: 'end', target: home.target, software: 'demo.ipv4', version: '1.0.0', state: 'committed' });
  expect(await operator.does('explain', home.gateway, 'demo.ipv4')).toMatchObject({ firstMissing: null });
  expect(await said('explain', home.gateway, 'demo.ipv4')).toContain('→ 動作しています / running');
  expect(await operator.does('report', 'not-delivered')).toMatchObject({ targets: 0, items: [] });
});

test('ethics: from a complaint to the third party’s word; the running copy shows no change', async () => {
  const heard = gateway.notices().length;
  const opened = await operator.does('ethics', 'open', 'demo.ipv4', '--kind', 'content', '--said', 'it shows what it must not');
  expect(opened).toMatchObject({ outcome: 'open-case', state: 'UNDER_REVIEW' });
  const id = String(opened.case);
  expect(await operator.does('ethics', 'note', id, '--text', 'a screenshot', '--evidence')).toMatchObject({ case: id });
  expect(await operator.does('ethics', 'list')).toMatchObject({ cases: [{ case: id, state: 'open' }] });
  expect(await operator.does('ethics', 'show', id)).toMatchObject({ notes: [{ kind: 'evidence' }], complaintList: [{ kind: 'content' }] });
  expect(await operator.run('ethics', 'decide', id, '--reviewer', 'x', '--reason', 'y')).toMatchObject({
    code: 2,
    json: { number: 'E931' },
  });
  const decided = await operator.does('ethics', 'decide', id, '--passed', '--reviewer', '第三者機関', '--reason', 'no fault found');
  expect(decided).toMatchObject({ verdict: 'passed', state: 'PUBLISHED' });
  expect(await operator.run('ethics', 'decide', id, '--failed', '--reviewer', 'x', '--reason', 'y')).toMatchObject({
    code: 3,
    json: { number: 'E718' },
  });
  expect(gateway.notices()).toHaveLength(heard);
  expect(await operator.does('ethics', 'open', 'demo.ipv4', '--kind', 'billing', '--said', 'too dear')).toMatchObject({
    outcome: 'record',
  });
});

test('application: a customer’s steps by their verbs, and an order that names it', async () => {
  const { application } = await operator.does('application', 'open', 'demo.ipv4', '--reference', 'N-1');
  const id = String(application);
  const step = (...more: string[]) => operator.run('application', 'step', id, '--event', ...more);
  expect((await step('consulted')).json).toMatchObject({ state: 'CONSULTED' });
  expect((await step('lineOrdered')).json).toMatchObject({ state: 'LINE_ORDERED' });
  expect(await operator.run('target', 'order', 'demo.ipv4', '--application', id, '--consent', 'N-1')).toMatchObject({
    code: 3,
    json: { number: 'E112' },
  });
  expect(await step('environmentPrepared', '--prepared-by', 'customer')).toMatchObject({ code: 3, json: { number: 'E727' } });
  await operator.does('customer', 'add', '--customer-id', 'CAF2', '--line', 'NEXT_OTHER', '--hgw', 'PR-500KI', '--denwa', 'STANDARD');
  expect((await step('guideSent', '--customer-id', 'CAF2')).json).toMatchObject({ state: 'LINE_READY' });
  expect((await step('environmentPrepared', '--prepared-by', 'notNeeded')).json).toMatchObject({ state: 'ENV_READY' });
  expect(await operator.does('target', 'order', 'demo.ipv4', '--application', id, '--consent', 'N-1')).toMatchObject({ state: 'READY' });
  expect(await operator.does('application', 'list', '--state', 'REQUESTED')).toMatchObject({ applications: [{ application: id }] });
  expect(await said('application', 'show', id)).toContain('各種料金支払い');
  expect(await operator.run('target', 'order', 'demo.ipv4')).toMatchObject({ code: 2, json: { number: 'E931' } });
});

test('consent: recorded, listed with a why, taken back; what rested on it ends', async () => {
  const recorded = await operator.does(
    'consent',
    'record',
    '--customer-id',
    'CAF2',
    '--reference',
    'R-1',
    '--provider',
    'demo',
    '--scope',
    'reasonsToProvider',
  );
  expect(recorded).toMatchObject({ scopes: ['reasonsToProvider'] });
  expect(await operator.run('consent', 'list', '--customer-id', 'CAF2')).toMatchObject({ code: 2, json: { number: 'E931' } });
  const { consents } = await operator.does('consent', 'list', '--customer-id', 'CAF2', '--why', 'test');
  expect(consents).toMatchObject([{ reference: 'R-1' }, { reference: 'N-1', inForce: ['delivery'] }]);
  const [, ordered] = consents as { consent: string }[];
  const lines = await said('consent', 'withdraw', String(ordered?.consent), '--by', 'お客さまご本人', '--how', '電話');
  expect(lines).toMatch(/撤回 \/ withdrawn: delivery[\s\S]*廃止 \/ ended: target/);
});

test('customer disclose and erase: a file for one pair of eyes, and no name left', async () => {
  const out = path.join(dir, 'disclosure.json');
  expect(await operator.does('customer', 'disclose', '--customer-id', 'CAF2', '--why', 'asked', '--out', out)).toMatchObject({
    rows: { customers: 1 },
  });
  expect(statSync(out).mode & 0o777).toBe(0o600);
  expect(readFileSync(out, 'utf8')).toContain('"customer_id": "CAF2"');
  expect(await operator.run('customer', 'erase', '--customer-id', 'CAF2', '--why', 'asked')).toMatchObject({
    code: 2,
    json: { number: 'E931' },
  });
  expect(await operator.run('customer', 'erase', '--customer-id', 'CAF00000001', '--why', 'asked', '--yes')).toMatchObject({
    code: 3,
    json: { number: 'E728' },
  });
  expect(await said('customer', 'erase', '--customer-id', 'CAF2', '--why', 'asked', '--yes')).toContain('消去しました / erased');
  expect(await operator.run('customer', 'find', '--customer-id', 'CAF2', '--why', 'x')).toMatchObject({
    code: 3,
    json: { number: 'E112' },
  });
  expect(server.log()).not.toMatch(/CAF2|CAF00000001/);
});

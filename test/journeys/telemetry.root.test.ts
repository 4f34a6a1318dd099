/** A real app's memory, on its way from the kernel's control group over a power switch and a broker into the report that its provider reads. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeTelemetryStore } from '../../agent/adapters/telemetry-store.ts';
import type { FieldReport } from '../../protocol/field-report.ts';
import { toUtcTime } from '../../protocol/fields.ts';
import { get } from '../../scripts/story/look.ts';
import { stopped, tellProgram } from '../../scripts/story/programs.ts';
import { gatewayEnrolled } from '../../scripts/story/steps/gateway-enrolled.ts';
import { providerCertified } from '../../scripts/story/steps/provider-certified.ts';
import { trustEstablished } from '../../scripts/story/steps/trust-established.ts';
import { seen, tell } from '../../scripts/story/story.ts';
import { gatewayLog, order, targetReaches } from '../../scripts/story/targets.ts';
import { publishVariant } from '../../scripts/story/variants.ts';
import { customers, gatewayOf, makeWorld, operator, type World } from '../../scripts/story/world.ts';

const withinMs = 40_000;
const dayMs = 86_400_000;
const heldMiB = 24;
let world: World;

/** Holds memory, and says of itself how many devices it knows; `answer` tells what the gateway socket said to that. */
const prelude = `
const held = Buffer.alloc(${heldMiB} << 20, 1);
const say = (body) => new Promise((resolve, reject) => require('node:http')
  .request({ socketPath: process.env.TSUGITE_GATEWAY_SOCKET, path: '/telemetry', method: 'POST' }, (answer) => { answer.resume(); resolve(answer.statusCode); })
  .on('error', reject).end(JSON.stringify(body)));
say({ devices: 3 }).then(async (taken) => console.log('telemetry', taken, await say({ room: 'living room' }), held.length));
`;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-telemetry-'));
  chmodSync(folder, 0o711);
  world = { ...(await makeWorld(folder)), serverConfig: { report: { minGateways: 1 } } };
  const outcomes = await tell([trustEstablished, providerCertified, gatewayEnrolled], world, () => {});
  expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
}, 120_000);

afterAll(async () => {
  await world.emulator?.stop();
  if (world.server !== undefined) await stopped(world.server, 10_000);
  rmSync(world.folder, { recursive: true, force: true });
});

/** By each one's own program: the provider's with an access token, as in its CI. */
const report = {
  byOperator: async () => (await operator(world, 'report')) as unknown as FieldReport,
  byProvider: async (token: string) =>
    (await tellProgram('provider', ['report', '--software', 'demo.ipv4'], {
      TSUGITE_SERVER: `http://127.0.0.1:${world.ports.api}`,
      TSUGITE_TOKEN: token,
    })) as unknown as FieldReport,
};

test('the memory peak of a real app arrives in the report that its provider reads', { timeout: 120_000 }, async () => {
  const gateway = gatewayOf(world);
  await publishVariant(world, {
    of: 'demo.ipv4',
    version: '1.0.0',
    manifest: {
      permissions: { lan: [], wan: [], telemetry: true },
      transmits: [{ what: { ja: '機器の数', en: 'devices' }, to: '配信サーバー', purpose: { ja: '不具合の確認', en: 'to find faults' } }],
    },
    prelude,
  });
  const target = await order(world, 'demo.ipv4', customers.eligible.id, 'D-0001');
  await targetReaches(world, target, 'it is committed', withinMs, ({ state }) => state === 'ACTIVE');
  const output = await seen('what the gateway socket answered', 10_000, async () => printed(gateway.dataDir, 'telemetry'));
  expect(output).toBe(`telemetry 202 400 ${heldMiB << 20}`);
  const page = (await get(`${gateway.pageUrl}/t/`)).body.toString();
  expect(page).toContain('このソフトウェアのメモリーの使用量');

  await gateway.stop();
  twoDaysAgo(gateway.dataDir);
  gateway.start();

  const { token } = await operator(world, 'token', 'create', '--role', 'provider', '--provider', 'demo', '--label', 'CI of the provider');
  const told = await seen('the measurement is in the report', withinMs, async () => {
    const now = await report.byProvider(String(token));
    return now.measurements.length > 0 ? now : undefined;
  });
  expect(told.measurements).toMatchObject([{ software: 'demo.ipv4', model: 'PR-400KI', gateways: 1, days: 1, hoursUp: 1, restarts: 0 }]);
  const [measured] = told.measurements;
  expect(measured?.memoryPeakKiB?.highest).toBeGreaterThan(heldMiB * 1024);
  expect(measured?.memoryPeakKiB?.highest).toBeLessThanOrEqual(64 * 1024);
  expect(measured?.own).toEqual([{ name: 'devices', gateways: 1, median: 3, p95: 3, highest: 3 }]);
  expect(told.installs).toMatchObject([{ version: '1.0.0', model: 'PR-400KI', tried: 1, installed: 1, running: 1 }]);
  const { gateways = [] } = await report.byOperator();
  expect(gateways).toMatchObject([{ model: 'PR-400KI', gateways: 1, reporting: 1 }]);
  expect(gateways[0]?.rssPeakKiB?.highest).toBeGreaterThan(20 * 1024);

  const sent = (await gatewayLog(gateway.dataDir)).filter(({ event }) => event === 'telemetry.sent');
  expect(sent).toHaveLength(1);
  expect(makeTelemetryStore(gateway.dataDir).load()?.days).toEqual([]);
});

/** What would take two days: the hour that was just measured is made one of the day before yesterday, on the stopped gateway's disk. */
function twoDaysAgo(dataDir: string): void {
  const store = makeTelemetryStore(dataDir);
  const journal = store.load();
  if (journal === undefined) throw new Error('nothing was measured');
  store.save({ ...journal, days: journal.days.map((day) => ({ ...day, from: toUtcTime(Date.parse(day.from) - 2 * dayMs) })) });
}

/** The line that the app printed, by its first word. */
function printed(dataDir: string, word: string): string | undefined {
  const file = path.join(dataDir, 'software', 'demo', 'demo.ipv4', 'output.log');
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => (JSON.parse(line) as { text: string }).text).find((text) => text.startsWith(word));
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sendAtMs } from '../../../agent/rules/telemetry/hours.ts';
import { fromColumn, type Telemetry } from '../../../protocol/messages/telemetry.ts';
import { type AgentBench, anAgentBench, aTestPackage, type TestPackage } from '../../support/agent-bench.ts';
import { aGatewayId, aNotice, aRemoval } from '../../support/mint.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const midnight = Date.parse('2026-11-22T15:00:00Z');
const transmits = [
  { what: { ja: '動作状況', en: 'condition' }, to: '配信サーバー', purpose: { ja: '不具合の確認', en: 'to find faults' } },
];
const telling = (name: string, version?: string): TestPackage =>
  aTestPackage(name, version, {
    manifest: { permissions: { lan: [], wan: [], telemetry: true }, transmits },
    wish: { grants: { lan: [], wan: [], telemetry: true } },
  });
const heater = telling('heater');
const lamp = aTestPackage('lamp');

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
  await gateway.deliver(heater, lamp);
});
afterEach(() => gateway.remove());

/** Past the moment at which this gateway sends what it measured on the 22nd. */
const untilSent = (days = 0) => sendAtMs(midnight, aGatewayId, 0.5) + days * dayMs + 1_000 - gateway.clock.wallMs();
const pass = async (ms: number) => {
  // The supervisor and the network watcher have timers of their own: an hour at a time keeps the test quick.
  for (let left = ms; left > 0; left -= hourMs) await gateway.pass(Math.min(left, hourMs));
};
const file = () => join(gateway.dataDir, 'telemetry.json');
const events = (name: string) => gateway.events.filter(({ event }) => event === name);
const of = (telemetry: Telemetry | undefined, { wish }: TestPackage) => telemetry?.targets.find(({ target }) => target === wish.target);
const policy = (change: object) => ({ policy: { ...aNotice().policy, ...change } });

describe('a day', () => {
  test('is sent once, after it is over, at the gateway’s own moment', async () => {
    await pass(untilSent() - 60_000);
    expect(gateway.telemetry).toEqual([]);
    await pass(120_000);
    expect(gateway.telemetry.map(({ from, stepS }) => [from, stepS])).toEqual([['2026-11-22T00:00:00Z', 3600]]);
    expect(events('telemetry.sent').map(({ detail }) => detail)).toMatchObject([{ day: '2026-11-22', hours: 15 }]);
    await pass(dayMs);
    expect(gateway.telemetry.map(({ from }) => from)).toEqual(['2026-11-22T00:00:00Z', '2026-11-22T15:00:00Z']);
    expect(fromColumn(gateway.telemetry[1]?.agent.rssKiB ?? [])).toEqual(Array(24).fill(54_000));
  });

  test('tells of software that asked for telemetry and was granted it, and of no other', async () => {
    await pass(untilSent());
    expect(gateway.telemetry[0]?.targets.map(({ target }) => target)).toEqual([heater.wish.target]);
    expect(of(gateway.telemetry[0], heater)).toMatchObject({ up: 15 });
    expect(fromColumn(of(gateway.telemetry[0], heater)?.memoryPeakKiB ?? [])).toEqual(Array(15).fill(19_532));
  });

  test('tells nothing more of software whose grant was taken back meanwhile, or that is gone', async () => {
    await pass(hourMs);
    await gateway.wish([{ ...heater, wish: { ...heater.wish, grants: { lan: [], wan: [], telemetry: false } } }, lamp]);
    await pass(untilSent());
    expect(gateway.telemetry.map(({ targets }) => targets)).toEqual([[]]);
    await gateway.wish([heater, lamp]);
    await pass(dayMs);
    await gateway.wish([lamp], { removed: [aRemoval(heater.wish)] });
    await pass(untilSent(2));
    expect(gateway.telemetry.at(-1)?.targets).toEqual([]);
    expect(gateway.telemetry.length).toBe(3);
  });

  test('counts restarts, the peak of every run, refused connections, reconnects and control bytes in the hour in which they came', async () => {
    await pass(hourMs);
    const app = gateway.apps.find(({ spec }) => spec.target === heater.wish.target);
    app?.end({ status: 1, signal: null, outOfMemory: false, memoryPeakBytes: 40_000 * 1024 });
    gateway.charged.bytes += 6_120;
    gateway.line(false);
    gateway.line(true);
    await pass(2 * hourMs);
    gateway.writeData('heater', 'x'.repeat(10_000));
    await pass(untilSent());
    const [telemetry] = gateway.telemetry;
    const heard = of(telemetry, heater);
    expect(fromColumn(heard?.restarts ?? []).slice(0, 4)).toEqual([0, 1, 0, 0]);
    expect(fromColumn(heard?.memoryPeakKiB ?? []).slice(0, 4)).toEqual([19_532, 40_000, 19_532, 19_532]);
    expect(fromColumn(heard?.dataKiB ?? []).slice(0, 4)).toEqual([0, 0, 0, 12]);
    expect(fromColumn(telemetry?.agent.controlBytes ?? []).slice(0, 4)).toEqual([0, 6_120, 0, 0]);
    expect(fromColumn(telemetry?.agent.reconnects ?? []).slice(0, 4)).toEqual([0, 1, 0, 0]);
  });

  test('counts each refused connection, told to people or not', async () => {
    const lan: TestPackage = aTestPackage('aircon', '1.0.0', {
      manifest: { permissions: { lan: ['udp:3610'], wan: [], telemetry: true }, transmits },
      wish: { grants: { lan: ['udp:3610'], wan: [], telemetry: true } },
    });
    await gateway.deliver(heater, lamp, lan);
    const app = gateway.apps.find(({ spec }) => spec.target === lan.wish.target);
    for (const count of [3, 7, 8]) {
      if (app !== undefined) app.network = { denied: [{ class: 'lan', protocol: 'udp', count }] };
      await gateway.pass(10_000);
    }
    await pass(untilSent());
    expect(fromColumn(of(gateway.telemetry[0], lan)?.deniedConnections ?? []).slice(0, 3)).toEqual([8, 0, 0]);
  });
});

describe('what software says of itself', () => {
  test('goes along: the last value of each name in that day', async () => {
    gateway.hearSoftware(heater.wish.target, { devices: 3, switched: 1 });
    await pass(hourMs);
    gateway.hearSoftware(heater.wish.target, { switched: 2 });
    await pass(untilSent());
    expect(of(gateway.telemetry[0], heater)?.own).toEqual({ devices: 3, switched: 2 });
  });

  test('has sixteen names; a seventeenth is refused, not forgotten', () => {
    const names = (from: number, count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`name${from + at}`, at]));
    gateway.hearSoftware(heater.wish.target, names(0, 16));
    expect(() => gateway.hearSoftware(heater.wish.target, names(16, 1))).toThrow(/E607/);
    gateway.hearSoftware(heater.wish.target, names(0, 16));
  });

  test('is refused while the operator wants no telemetry', async () => {
    await gateway.wish([heater], policy({ telemetryBytesPerMonth: 0 }));
    expect(() => gateway.hearSoftware(heater.wish.target, { devices: 3 })).toThrow(/E603.*switched telemetry off/);
  });
});

describe('what was measured', () => {
  test('is still there after a power cut: only the running hour is lost', async () => {
    await pass(3 * hourMs);
    gateway.cutPower();
    await gateway.boot();
    await pass(untilSent());
    expect(gateway.telemetry[0]?.from).toBe('2026-11-22T00:00:00Z');
    expect(fromColumn(gateway.telemetry[0]?.agent.rssKiB ?? [])).toEqual(Array(15).fill(54_000));
  });

  test('of the running hour too after an orderly stop', async () => {
    await pass(hourMs);
    gateway.hearSoftware(heater.wish.target, { devices: 3 });
    await gateway.stop();
    gateway.clock.setWallMs(gateway.clock.wallMs() + 3 * hourMs);
    await gateway.boot();
    await pass(untilSent());
    expect(of(gateway.telemetry[0], heater)?.own).toEqual({ devices: 3 });
    expect(fromColumn(gateway.telemetry[0]?.agent.rssKiB ?? []).slice(0, 6)).toEqual([54_000, 54_000, 0, 0, 54_000, 54_000]);
  });

  test('that cannot be read is begun anew, and the agent lives', async () => {
    await pass(2 * hourMs);
    await gateway.stop();
    for (const path of [file(), `${file()}.previous`]) writeFileSync(path, '{}');
    await gateway.boot();
    await pass(untilSent());
    expect(gateway.telemetry.map(({ from }) => from)).toEqual(['2026-11-22T02:00:00Z']);
  });

  test('by another gateway is not sent by this one', async () => {
    gateway.charged.bytes += 6_120;
    await pass(2 * hourMs);
    await gateway.stop();
    const renamed = anAgentBench({ dataDir: gateway.dataDir, gateway: 'hgw-0002' as never });
    await renamed.boot();
    await renamed.wish([], { gateway: 'hgw-0002' as never });
    await renamed.pass(2 * dayMs);
    expect(renamed.telemetry.length).toBeGreaterThan(0);
    expect(renamed.telemetry.flatMap(({ agent }) => fromColumn(agent.controlBytes)).filter((bytes) => bytes > 0)).toEqual([]);
    expect(JSON.stringify(renamed.telemetry)).not.toContain(heater.wish.target);
    renamed.remove();
  });

  test('stays in memory while the disk is full, and is sent all the same', async () => {
    gateway.fillDisk(true);
    await pass(untilSent() - hourMs);
    gateway.fillDisk(false);
    await pass(2 * hourMs);
    expect(gateway.telemetry.length).toBe(1);
    expect(events('disk.full').length).toBeGreaterThan(0);
  });
});

describe('a line that is down', () => {
  test('delays a day; it is sent with the next connect, and no day twice', async () => {
    gateway.line(false);
    await pass(untilSent(1));
    expect(gateway.telemetry).toEqual([]);
    gateway.line(true);
    await gateway.settled();
    expect(gateway.telemetry.map(({ from }) => from)).toEqual(['2026-11-22T00:00:00Z', '2026-11-22T15:00:00Z']);
    gateway.line(true);
    await gateway.settled();
    expect(gateway.telemetry.length).toBe(2);
  });

  test('for ten days costs the oldest, and the log says so', async () => {
    gateway.line(false);
    await pass(untilSent(9));
    gateway.line(true);
    await gateway.settled();
    expect(gateway.telemetry.length).toBe(7);
    expect(events('telemetry.dropped').map(({ detail }) => detail?.day)).toEqual(['2026-11-22', '2026-11-23', '2026-11-24']);
  });
});

describe('the budget', () => {
  test('near the ceiling holds telemetry back with E905, told once a month, and lets it go later', async () => {
    gateway.charged.hold = 'near-ceiling';
    await pass(untilSent(1));
    expect(gateway.telemetry).toEqual([]);
    expect(events('telemetry.held').map(({ code, detail }) => [code, detail?.day])).toEqual([['TRAFFIC_CEILING', '2026-11-22']]);
    gateway.charged.hold = undefined;
    await pass(hourMs);
    expect(gateway.telemetry.length).toBe(2);
  });

  test('of the policy holds it back without calling it a fault', async () => {
    gateway.charged.hold = 'monthly-limit';
    await pass(untilSent());
    expect(events('telemetry.held').map(({ code }) => code)).toEqual([undefined]);
  });

  test('of nothing means that nothing is measured or kept, and the page does not say that it is', async () => {
    const measured = () => [gateway.snapshot().isMeasured, ...gateway.snapshot().software.map(({ isMeasured }) => isMeasured)];
    await pass(2 * hourMs);
    expect(existsSync(file())).toBe(true);
    expect(measured()).toEqual([true, true, false]);
    await gateway.wish([heater], policy({ telemetryBytesPerMonth: 0 }));
    await pass(untilSent());
    expect(gateway.telemetry).toEqual([]);
    expect(JSON.parse(readFileSync(file(), 'utf8')).days).toEqual([]);
    expect(measured()).toEqual([false, false, false]);
  });
});

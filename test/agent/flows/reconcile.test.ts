import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { gatewayId, toUtcTime } from '../../../protocol/fields.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';
import { anId, aRemoval, aRoot, mintedAtMs } from '../../support/mint.ts';

const dayMs = 86_400_000;
let gateway: AgentBench;
const heater = aTestPackage('heater');
const lamp = aTestPackage('lamp');
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
  await gateway.deliver(heater);
  gateway.writeData('heater', 'of this household');
});
afterEach(() => gateway.remove());

const note = () => join(gateway.dataDir, 'software', 'acme', 'heater.acme', 'data', 'note');
const days = async (count: number) => {
  for (let day = 0; day < count; day++) await gateway.clock.advanceMs(dayMs);
  await gateway.settled();
};

describe('software that is not in the notice', () => {
  test('is stopped and kept, and told once', async () => {
    await gateway.wish([]);
    await gateway.wish([]);
    expect(gateway.runningVersion('heater')).toBeUndefined();
    expect(existsSync(note())).toBe(true);
    expect(gateway.word('heater')).toBe('stopped');
    expect(gateway.reports('orphan').map(({ number }) => number)).toEqual(['E608']);
  });

  test('runs again, with its data, when a notice lists it again', async () => {
    await gateway.wish([]);
    await gateway.wish([heater]);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.installs).toBe(1);
    expect(existsSync(note())).toBe(true);
  });

  test('is purged when its data have been kept for as long as was promised', async () => {
    await gateway.wish([]);
    await days(37 + 29);
    expect(existsSync(note())).toBe(true);
    await days(2);
    expect(existsSync(note())).toBe(false);
    expect(gateway.reports('purge').map(({ detail }) => detail)).toEqual([{ reason: 'grace-over' }]);
  });

  test('is not purged because a wall clock was told 2099', async () => {
    await gateway.wish([]);
    gateway.clock.setWallMs(Date.parse('2099-01-01T00:00:00Z'));
    await days(1);
    expect(existsSync(note())).toBe(true);
  });
});

describe('software that is removed', () => {
  test('is stopped, purged and reported, and nothing of it is left', async () => {
    await gateway.wish([], { removed: [aRemoval(heater.wish)] });
    expect(gateway.runningVersion('heater')).toBeUndefined();
    expect(readdirSync(join(gateway.dataDir, 'software'))).toEqual([]);
    expect(readdirSync(join(gateway.dataDir, 'store'))).toEqual([]);
    expect(gateway.state().records).toEqual([]);
    expect(gateway.reports('purge')).toMatchObject([{ target: heater.wish.target, detail: { reason: 'cancelled' } }]);
  });

  test('is reported once, however often the notice says so', async () => {
    const removed = [aRemoval(heater.wish)];
    await gateway.wish([], { removed });
    await gateway.wish([], { removed });
    expect(gateway.reports('purge')).toHaveLength(1);
  });

  test('is reported as purged when it was never here: somebody waits for the report', async () => {
    await gateway.wish([heater], { removed: [aRemoval(lamp.wish)] });
    expect(gateway.reports('purge')).toMatchObject([{ target: lamp.wish.target }]);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('in the middle of its probation is brought down first', async () => {
    await gateway.wish([heater, lamp]);
    await gateway.wish([heater], { removed: [aRemoval(lamp.wish)] });
    expect(gateway.runningVersion('lamp')).toBeUndefined();
    expect(gateway.state().deployments).toEqual([]);
    expect(gateway.reports('purge')).toMatchObject([{ target: lamp.wish.target }]);
  });

  test('may come back in an older version', async () => {
    await gateway.deliver(aTestPackage('heater', '1.1.0'));
    await gateway.wish([], { removed: [aRemoval(heater.wish)] });
    await gateway.deliver({ ...heater, wish: { ...heater.wish, target: anId('newcontract') } });
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });
});

test('data of another contract are purged before the same software is installed for the new one', async () => {
  const other = { ...heater, wish: { ...heater.wish, target: anId('newcontract') } };
  await gateway.wish([other]);
  expect(existsSync(note())).toBe(false);
  expect(gateway.reports('purge')).toMatchObject([{ target: heater.wish.target, detail: { reason: 'other-target' } }]);
  await gateway.pass(61_000);
  expect(gateway.record('heater')?.target).toBe(other.wish.target);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
});

test('under another identity everything is purged before anything is started', async () => {
  await gateway.stop();
  const next = anAgentBench({ gateway: gatewayId.parse('hgw-0002'), dataDir: gateway.dataDir });
  await next.boot();
  expect(readdirSync(join(gateway.dataDir, 'software'))).toEqual([]);
  expect(next.state()).toMatchObject({ gateway: 'hgw-0002', records: [] });
  expect(next.reports('purge')).toMatchObject([{ detail: { reason: 'other-identity' } }]);
});

describe('a lease', () => {
  test('that ends stops the software and keeps its data; a renewal starts it again', async () => {
    await days(38);
    expect(gateway.runningVersion('heater')).toBeUndefined();
    expect(gateway.word('heater')).toBe('stopped');
    expect(gateway.snapshot().software[0]?.reason?.code).toBe('ENTITLEMENT_LAPSED');
    expect(existsSync(note())).toBe(true);

    const entitledUntil = toUtcTime(gateway.clock.wallMs() + 37 * dayMs);
    await gateway.wish([{ ...heater, wish: { ...heater.wish, entitledUntil } }]);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('outlasts an outage of thirty days', async () => {
    await days(30);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('is known after a restart without a valid notice', async () => {
    await days(22);
    gateway.cutPower();
    await gateway.boot();
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    await days(16);
    expect(gateway.runningVersion('heater')).toBeUndefined();
  });
});

describe('an expired root or notice', () => {
  test('blocks an update, while stops are obeyed', async () => {
    await days(22);
    await gateway.settled();
    expect(gateway.trust().notice()).not.toBeNull();
    gateway.publishRoot(aRoot(gateway.keys, { version: 2, expires: toUtcTime(mintedAtMs) }), gateway.keys);
    await gateway.wish([aTestPackage('heater', '1.1.0')], { rootVersion: 2 });
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.snapshot().software[0]?.reason?.code).toBe('ROOT_EXPIRED');
    await gateway.wish([], { rootVersion: 2, removed: [aRemoval(heater.wish)] });
    expect(gateway.state().records).toEqual([]);
  });
});

describe('a revoked signer', () => {
  const revoke = (stop: boolean) => ({
    revokedSigners: [{ issuer: `sha256:${'a'.repeat(64)}`, serial: '1', since: toUtcTime(mintedAtMs), reason: 'stolen', stop }] as never,
  });

  test('stops what it signed when root says so, and only then', async () => {
    gateway.publishRoot(aRoot(gateway.keys, { version: 2, ...revoke(false) }), gateway.keys);
    await gateway.wish([heater], { rootVersion: 2 });
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    gateway.publishRoot(aRoot(gateway.keys, { version: 3, ...revoke(true) }), gateway.keys);
    await gateway.pass(3_600_000);
    await gateway.wish([heater], { rootVersion: 3 });
    expect(gateway.runningVersion('heater')).toBeUndefined();
    expect(gateway.snapshot().software[0]?.reason).toMatchObject({ code: 'SIGNING_KEY_UNKNOWN', detail: { kind: 'revoked' } });
  });

  test('takes its version floor with it: after 99.0.0 by a stolen key an honest 1.2.27 installs', async () => {
    await gateway.deliver(aTestPackage('heater', '99.0.0'));
    await gateway.deliver(aTestPackage('heater', '1.2.27', { signerSerial: '2' }));
    expect(gateway.runningVersion('heater')).toBe('99.0.0');
    gateway.publishRoot(aRoot(gateway.keys, { version: 2, ...revoke(false) }), gateway.keys);
    await gateway.wish([aTestPackage('heater', '1.2.27', { signerSerial: '2' })], { rootVersion: 2 });
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.2.27');
  });
});

describe('terms', () => {
  test('that change start the software anew under the new ones', async () => {
    const grants = { lan: [], wan: [], telemetry: false };
    const limits = { ...heater.wish.limits, memoryBytes: 16_777_216 };
    await gateway.wish([{ ...heater, wish: { ...heater.wish, limits, grants } }]);
    expect(gateway.apps.at(-1)?.spec.limits.memoryBytes).toBe(16_777_216);
    expect(gateway.apps).toHaveLength(2);
  });

  test('that stay as they are leave it alone', async () => {
    await gateway.wish([heater]);
    await gateway.wish([heater, lamp]);
    expect(gateway.apps.filter(({ spec }) => spec.software === 'heater.acme')).toHaveLength(1);
  });

  test('of a lower plan let the larger version run until the grace is over, then stop it', async () => {
    const limits = { ...heater.wish.limits, installedBytes: 200_000 };
    const graceUntil = toUtcTime(mintedAtMs + 10 * dayMs);
    await gateway.wish([{ ...heater, wish: { ...heater.wish, limits, graceUntil } }]);
    await days(9);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    await days(2);
    expect(gateway.runningVersion('heater')).toBeUndefined();
    expect(gateway.snapshot().software[0]?.reason).toMatchObject({ code: 'SIZE_OVER_LIMIT', detail: { limit: 200_000, actual: 300_000 } });
  });
});

describe('the room for its data', () => {
  const asked = 3_000_000;
  const granted = (dataBytes: number) =>
    aTestPackage('heater', '1.1.0', {
      wish: { limits: { ...heater.wish.limits, dataBytes } },
      manifest: { resources: { memoryBytes: 33_554_432, cpuPercent: 25, pids: 16, dataBytes: asked } },
    });
  const last = () => gateway.apps.at(-1);

  test('that a lower plan takes away is there until its next start; what a higher one gives is given while it runs, once', async () => {
    await gateway.deliver(granted(asked));
    const starts = gateway.apps.length;
    await gateway.wish([granted(1_000_000)]);
    expect(gateway.apps).toHaveLength(starts);

    last()?.end({ status: 1, signal: null, outOfMemory: false, memoryPeakBytes: 1 });
    await gateway.settled();
    await gateway.pass(2_000);
    expect(last()?.spec.limits.dataBytes).toBe(1_000_000);

    await gateway.wish([granted(asked + 1)]);
    await gateway.pass(7_200_000);
    expect(gateway.apps).toHaveLength(starts + 1);
    expect(last()?.dataGrowth).toEqual([asked]);
  });

  test('is counted where the kernel keeps no limit: more than that is stopped with E607, told once, and started again', async () => {
    await gateway.pass(120_000);
    expect(gateway.reports('supervisor')).toEqual([]);

    const starts = gateway.apps.length;
    gateway.writeData('heater', 'x'.repeat(200_000));
    await gateway.pass(61_000);
    expect(gateway.reports('supervisor')).toMatchObject([{ number: 'E607', detail: { limit: 65_536, kind: 'data' } }]);
    expect(gateway.apps.slice(0, starts).filter(({ isRunning }) => isRunning)).toEqual([]);
    await gateway.pass(2_000);
    expect(gateway.apps).toHaveLength(starts + 1);
    expect(gateway.snapshot().software[0]).toMatchObject({ state: 'running', reason: { code: 'APP_LIMIT_REACHED' } });

    await gateway.pass(61_000);
    expect(gateway.reports('supervisor')).toHaveLength(1);
    expect(gateway.events.filter(({ event }) => event === 'storage.over_limit')).toHaveLength(2);
  });
});

describe('software at its memory limit', () => {
  const minutes = async (count: number, perMinute: { limitHits: number; refaults: number }) => {
    for (let minute = 0; minute < count; minute++) {
      const app = gateway.apps.at(-1);
      if (app === undefined) return;
      const { limitHits, refaults = 0 } = app.pressure;
      app.pressure = { limitHits: limitHits + perMinute.limitHits, refaults: refaults + perMinute.refaults };
      await gateway.pass(60_000);
    }
  };

  test('that does nothing but read again what was thrown out is stopped after some minutes with E601, and started again', async () => {
    const starts = gateway.apps.length;
    await minutes(2, { limitHits: 0, refaults: 10_000_000 });
    expect(gateway.reports('supervisor')).toEqual([]);
    await minutes(3, { limitHits: 0, refaults: 10_000_000 });
    expect(gateway.reports('supervisor')).toMatchObject([
      { number: 'E601', detail: { kind: 'thrash', limit: 33_554_432, actual: 20_000_000 } },
    ]);
    await gateway.pass(2_000);
    expect(gateway.apps).toHaveLength(starts + 1);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('with a full page cache, or busy for a minute now and then, is left alone', async () => {
    const starts = gateway.apps.length;
    await minutes(6, { limitHits: 1_000_000, refaults: 10 });
    for (let times = 0; times < 4; times++) {
      await minutes(2, { limitHits: 0, refaults: 10_000_000 });
      await minutes(1, { limitHits: 0, refaults: 0 });
    }
    expect(gateway.apps).toHaveLength(starts);
  });
});

describe('software that ends by itself', () => {
  const crash = async () => {
    gateway.apps.findLast(({ isRunning }) => isRunning)?.end({ status: 1, signal: null, outOfMemory: false, memoryPeakBytes: 1 });
    await gateway.settled();
  };

  test('is started again after a second', async () => {
    await crash();
    expect(gateway.runningVersion('heater')).toBeUndefined();
    await gateway.pass(2_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('again and again is reported once, waits longer each time, and is never given up', async () => {
    for (let times = 0; times < 7; times++) {
      await crash();
      await gateway.pass(300_000);
    }
    expect(gateway.reports('supervisor').map(({ number, detail }) => [number, detail?.count])).toEqual([['E602', 5]]);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.events.filter(({ event }) => event === 'agent.fault')).toEqual([]);
  });

  test('is well again after ten minutes', async () => {
    for (let times = 0; times < 5; times++) {
      await crash();
      await gateway.pass(300_000);
    }
    expect(gateway.record('heater')?.trouble?.code).toBe('APP_CRASH_LOOP');
    await gateway.pass(600_000);
    expect(gateway.record('heater')?.trouble).toBeNull();
  });
});

test('a window keeps an update waiting, and lets it begin when it opens', async () => {
  // 00:00 UTC is 09:00 in Japan.
  const update = aTestPackage('heater', '1.1.0', { wish: { window: { from: '10:00', to: '11:00' } } });
  await gateway.wish([update]);
  await gateway.pass(1_800_000);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
  expect(gateway.snapshot().software[0]).toMatchObject({
    state: 'running',
    reason: { code: 'WINDOW_WAIT', detail: { from: '10:00', to: '11:00' } },
  });
  await gateway.pass(1_800_000);
  await gateway.pass(61_000);
  expect(gateway.runningVersion('heater')).toBe('1.1.0');
});

test('a fleet that hears of an update at once does not fetch it at once', async () => {
  const policy = {
    ...(gateway.trust().notice() as NonNullable<ReturnType<ReturnType<AgentBench['trust']>['notice']>>).policy,
    jitterS: 3_600,
  };
  await gateway.wish([aTestPackage('heater', '1.1.0')], { policy });
  await gateway.pass(1_700_000);
  expect(gateway.downloads).toBe(1);
  await gateway.pass(200_000);
  expect(gateway.downloads).toBe(2);
});

test('neighbours are not touched by an installation, an update or a removal beside them', async () => {
  await gateway.deliver(heater, lamp);
  await gateway.deliver(heater, aTestPackage('lamp', '1.1.0'));
  await gateway.wish([heater], { removed: [aRemoval(lamp.wish)] });
  expect(gateway.apps.filter(({ spec }) => spec.software === 'heater.acme')).toHaveLength(1);
  expect(new Set(gateway.apps.map(({ spec }) => spec.uid)).size).toBe(2);
});

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeTrustStore } from '../../../agent/adapters/trust-store.ts';
import { gatewayId, toUtcTime } from '../../../protocol/fields.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';
import { aKey, aNotice, aRoot, mintedAtMs, signNotice, someRootKeys } from '../../support/mint.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
  await gateway.deliver(aTestPackage('heater'));
});
afterEach(() => gateway.remove());

/** Everything that stands in the data folder but what was said about it. */
function disk(folder = gateway.dataDir): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).flatMap((name) => {
      const path = join(folder, name);
      if (['outbox', 'agent.lock'].includes(name) || name.startsWith('refused-notice.json')) return [];
      return statSync(path).isDirectory() ? Object.entries(disk(path)) : [[path, readFileSync(path, 'base64')]];
    }),
  );
}

describe('a bad notice is told with its number, and changes nothing on disk', () => {
  const later = { version: mintedAtMs + 10_000_000 };
  test.each([
    ['for another gateway', 'E212', () => signNotice(aNotice({ ...later, gateway: gatewayId.parse('hgw-9999') }), gateway.keys.notice)],
    ['older than the applied one', 'E210', () => signNotice(aNotice({ version: 5 }), gateway.keys.notice)],
    [
      'with the number of the applied one and other bytes',
      'E211',
      () => signNotice({ ...applied(), expires: toUtcTime(mintedAtMs + 86_400_000) }, gateway.keys.notice),
    ],
    ['that has expired', 'E205', () => signNotice(aNotice({ ...later, expires: toUtcTime(mintedAtMs) }), gateway.keys.notice)],
    ['by an unknown key', 'E202', () => signNotice(aNotice(later), [aKey()])],
    ['by a root key, which is not a notice key', 'E202', () => signNotice(aNotice(later), gateway.keys.root)],
    ['whose payload was changed', 'E201', () => tampered()],
    ['that is no envelope', 'E221', () => Buffer.from('{}')],
    ['that is larger than allowed', 'E416', () => Buffer.alloc(129 * 1024, 0x20)],
    ['with a field that we do not understand', 'E213', () => signNotice({ ...aNotice(later), more: 1 } as never, gateway.keys.notice)],
  ])('%s', async (_, number, make) => {
    const before = disk();
    await gateway.hear(make());
    await gateway.settled();
    expect(gateway.reports('failure').map((report) => report.number)).toEqual([number]);
    expect(gateway.events.findLast(({ event }) => event === 'notice.refused')?.code).toBe(gateway.reports('failure')[0]?.code);
    expect(disk()).toEqual(before);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.snapshot().refusedNotice).toMatchObject({ code: gateway.reports('failure')[0]?.code, times: 1 });
  });

  const applied = () => gateway.trust().notice() as NonNullable<ReturnType<ReturnType<AgentBench['trust']>['notice']>>;
  const tampered = () => {
    const envelope = JSON.parse(signNotice(aNotice(later), gateway.keys.notice).toString());
    const payload = JSON.stringify({ ...aNotice(later), targets: [aTestPackage('evil').wish] });
    return Buffer.from(JSON.stringify({ ...envelope, payload: Buffer.from(payload).toString('base64') }));
  };
});

test('an empty message clears nothing', async () => {
  const before = disk();
  await gateway.hear(Buffer.alloc(0));
  await gateway.settled();
  expect(disk()).toEqual(before);
  expect(gateway.reports('failure')).toEqual([]);
});

describe('a refused notice', () => {
  const bad = () => signNotice(aNotice({ version: 5 }), gateway.keys.notice);
  const expired = () => signNotice(aNotice({ version: mintedAtMs + 10_000_000, expires: toUtcTime(mintedAtMs) }), gateway.keys.notice);
  const refused = () => gateway.snapshot().refusedNotice;
  const hear = async (...envelopes: Buffer[]) => {
    for (const envelope of envelopes) await gateway.hear(envelope);
    await gateway.settled();
  };

  test('sent with every connect is reported and logged once, and counted', async () => {
    await hear(bad(), bad(), bad());
    expect(gateway.reports('failure')).toHaveLength(1);
    expect(gateway.events.filter(({ event }) => event === 'notice.refused')).toHaveLength(1);
    expect(refused()).toMatchObject({ code: 'NOTICE_DOWNGRADE', times: 3 });
  });

  test('is reported once though the time of its refusal differs', async () => {
    const one = expired();
    await hear(one);
    await gateway.pass(120_000);
    await hear(one);
    expect(gateway.reports('failure')).toHaveLength(1);
    expect(refused()?.at).not.toBe(refused()?.since);
  });

  test('is remembered through a power cut, and not reported anew when it comes again', async () => {
    await hear(bad());
    gateway.cutPower();
    await gateway.boot();
    expect(refused()).toMatchObject({ code: 'NOTICE_DOWNGRADE', times: 1 });
    await hear(bad());
    expect(gateway.reports('failure')).toHaveLength(1);
    expect(refused()?.times).toBe(2);
  });

  test('of another kind takes its place: one is remembered, however many there were', async () => {
    await hear(bad(), expired());
    expect(refused()).toMatchObject({ code: 'NOTICE_EXPIRED', times: 2 });
    expect(gateway.reports('failure').map(({ number }) => number)).toEqual(['E210', 'E205']);
  });

  test('is forgotten when a newer one is accepted, also after the next boot', async () => {
    await hear(bad());
    await gateway.wish([aTestPackage('heater')]);
    expect(refused()).toBeUndefined();
    gateway.cutPower();
    await gateway.boot();
    expect(refused()).toBeUndefined();
  });

  test('is forgotten when the server publishes again what is in force; an empty message says nothing', async () => {
    await hear(bad(), Buffer.alloc(0));
    expect(refused()).toBeDefined();
    await hear(signNotice(gateway.trust().notice() as never, gateway.keys.notice));
    expect(refused()).toBeUndefined();
  });

  test('on a full disk ends no connection, and is reported once there is room', async () => {
    gateway.fillDisk(true);
    await expect(gateway.hear(bad())).resolves.toBeUndefined();
    expect(refused()).toMatchObject({ code: 'NOTICE_DOWNGRADE' });
    expect(gateway.reports('failure')).toEqual([]);
    gateway.fillDisk(false);
    await hear(bad());
    expect(gateway.reports('failure')).toHaveLength(1);
  });

  test('is written down at most once an hour while it comes again and again', async () => {
    const path = join(gateway.dataDir, 'refused-notice.json');
    await hear(bad());
    const first = readFileSync(path, 'utf8');
    await hear(bad(), bad());
    expect(readFileSync(path, 'utf8')).toBe(first);
    await gateway.pass(3_600_000);
    await hear(bad());
    expect(JSON.parse(readFileSync(path, 'utf8')).refused.times).toBe(4);
  });
});

test('an agent that still waits for a newer root ends when it is told to: no timer is left', async () => {
  await gateway.hear(signNotice(aNotice({ version: mintedAtMs + 10_000_000 }), [aKey()]));
  await gateway.settled();
  await gateway.stop();
  expect(gateway.clock.pending()).toBe(0);
});

test('the applied notice, sent again, is neither applied nor reported', async () => {
  const events = gateway.events.length;
  await gateway.hear(signNotice(gateway.trust().notice() as never, gateway.keys.notice));
  await gateway.settled();
  expect(gateway.events).toHaveLength(events);
});

describe('keys change', () => {
  const newKeys = () => ({ ...gateway.keys, notice: [aKey()] });

  test('by a new root: the first notice of the new key makes us ask for it', async () => {
    const keys = newKeys();
    gateway.publishRoot(aRoot(keys, { version: 2 }), gateway.keys);
    await gateway.hear(signNotice(aNotice({ version: gateway.trust().mark()?.version ?? 0, rootVersion: 2 }), keys.notice));
    expect(gateway.trust().root().version).toBe(2);
    expect(gateway.trust().notice()?.rootVersion).toBe(2);
  });

  test('a lost notice key resets the mark: its far-future notice cannot lock the honest ones out', async () => {
    const farFuture = { version: mintedAtMs + 1e12, issuedAt: toUtcTime(mintedAtMs + 1e11), expires: toUtcTime(mintedAtMs + 2e11) };
    await gateway.hear(signNotice(aNotice(farFuture), gateway.keys.notice));
    expect(gateway.trust().nowMs()).toBeGreaterThan(mintedAtMs + 1e11 - 1);
    const keys = newKeys();
    gateway.publishRoot(aRoot(keys, { version: 2 }), gateway.keys);
    await gateway.hear(signNotice(aNotice({ version: mintedAtMs + 1e6, rootVersion: 2 }), keys.notice));
    expect(gateway.trust().mark()?.version).toBe(mintedAtMs + 1e6);
    expect(gateway.trust().nowMs()).toBeLessThan(mintedAtMs + 1e9);
  });

  test('a key that is only added resets nothing', async () => {
    const mark = gateway.trust().mark();
    const keys = { ...gateway.keys, notice: [...gateway.keys.notice, aKey()] };
    gateway.publishRoot(aRoot(keys, { version: 2 }), gateway.keys);
    await gateway.hear(signNotice(aNotice({ version: 5, rootVersion: 2 }), keys.notice.slice(1)));
    expect(gateway.trust().root().version).toBe(2);
    expect(gateway.trust().mark()).toEqual(mark);
  });

  test('the reset stands through a power cut right after the root was saved', async () => {
    const keys = newKeys();
    gateway.publishRoot(aRoot(keys, { version: 2 }), gateway.keys);
    gateway.cutPower();
    makeTrustStore(gateway.dataDir).saveRoot(2, gateway.roots.get(2) as Buffer);
    await gateway.boot();
    expect(gateway.trust().mark()).toBeNull();
    expect(gateway.trust().notice()).toBeNull();
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('a root that does not follow is refused and told, and ours stays', async () => {
    const foreign = someRootKeys();
    gateway.publishRoot(aRoot(foreign, { version: 2 }), foreign);
    await gateway.hear(signNotice(aNotice({ version: mintedAtMs + 1e6, rootVersion: 2 }), foreign.notice));
    expect(gateway.trust().root().version).toBe(1);
    expect(gateway.events.some(({ event, code }) => event === 'root.refused' && code === 'SIGNING_KEY_UNKNOWN')).toBe(true);
  });

  test('whoever sends notices by unknown keys makes us ask for roots once an hour, and less often as it goes on', async () => {
    const asked = gateway.rootQuestions;
    for (let count = 0; count < 20; count++) await gateway.hear(signNotice(aNotice({ version: mintedAtMs + 1e6 + count }), [aKey()]));
    expect(gateway.rootQuestions - asked).toBe(1);
    await gateway.pass(86_400_000);
    expect(gateway.rootQuestions - asked).toBeLessThan(8);
  });

  test('a notice that only a later root can judge is judged when that root is there', async () => {
    const keys = newKeys();
    await gateway.hear(signNotice(aNotice({ version: mintedAtMs + 1e6, rootVersion: 2, targets: [] }), keys.notice));
    await gateway.settled();
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    gateway.publishRoot(aRoot(keys, { version: 2 }), gateway.keys);
    await gateway.pass(3_600_001);
    expect(gateway.trust().mark()?.version).toBe(mintedAtMs + 1e6);
    expect(gateway.runningVersion('heater')).toBeUndefined();
  });
});

test('the birth message says what was applied, and by which root', async () => {
  expect(gateway.birth()).toMatchObject({
    online: true,
    model: 'PR-500KI',
    rootVersion: 1,
    appliedNotice: gateway.trust().mark(),
    speaks: [1],
    agent: '1.0.0',
  });
});

test('a request to synchronise is answered once, with what is committed', async () => {
  const requests = [{ id: 'r'.repeat(26), kind: 'resync', expires: toUtcTime(mintedAtMs + 86_400_000), maxBytes: 0 }] as never;
  const heater = aTestPackage('heater');
  await gateway.wish([heater], { requests });
  await gateway.wish([heater], { requests });
  expect(gateway.reports('resync').map(({ detail }) => detail)).toEqual([
    { request: 'r'.repeat(26), committed: [`${heater.wish.target} 1.0.0`] },
  ]);
});

describe('reports', () => {
  test('that nobody acknowledged are sent again after 2 minutes, 10, an hour, then every day', async () => {
    gateway.acknowledge(false);
    const before = gateway.sent.length;
    await gateway.hear(signNotice(aNotice({ version: 5 }), gateway.keys.notice));
    await gateway.settled();
    const times: number[] = [];
    const minutes = [1, 2, 3, 11, 13, 71, 73, 1_511, 1_513, 2_951, 2_953];
    let now = 0;
    for (const at of minutes) {
      await gateway.clock.advanceMs((at - now) * 60_000);
      now = at;
      times.push(gateway.sent.length - before);
    }
    expect(times).toEqual([1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6]);
  });

  test('that were not acknowledged are sent again after a restart, under the same number', async () => {
    gateway.acknowledge(false);
    await gateway.hear(signNotice(aNotice({ version: 5 }), gateway.keys.notice));
    await gateway.settled();
    const [first] = gateway.reports('failure');
    gateway.cutPower();
    gateway.sent.length = 0;
    await gateway.boot();
    expect(gateway.reports('failure')).toEqual([first]);
  });

  test('never share a number, whatever happens between them', async () => {
    for (const version of [5, 6, 7]) {
      await gateway.hear(signNotice(aNotice({ version }), gateway.keys.notice));
      await gateway.settled();
      gateway.cutPower();
      await gateway.boot();
    }
    const numbers = gateway.reports().map(({ epoch, seq }) => `${epoch} ${seq}`);
    expect(gateway.reports('failure')).toHaveLength(3);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});

import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
});
afterEach(() => gateway.remove());

const folder = (name: string) => join(gateway.dataDir, 'software', 'acme', `${name}.acme`);
const lastReport = () => gateway.reports().at(-1);

describe('a first installation', () => {
  test('ends committed and running, and start and end are reported', async () => {
    await gateway.deliver(aTestPackage('heater'));
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.word('heater')).toBe('running');
    expect(gateway.reports().map(({ kind, state }) => `${kind} ${state}`)).toEqual(['start accepted', 'end committed']);
    expect(readlinkSync(join(folder('heater'), 'current'))).toContain(aTestPackage('heater').wish.package.sha256);
    expect(readdirSync(join(gateway.dataDir, 'download'))).toEqual([]);
    expect(readdirSync(join(gateway.dataDir, 'staging'))).toEqual([]);
  });

  test('is not committed before its probation is over', async () => {
    await gateway.wish([aTestPackage('heater')]);
    await gateway.pass(59_000);
    expect(gateway.word('heater')).toBe('installing');
    await gateway.pass(2_000);
    expect(gateway.word('heater')).toBe('running');
  });

  test('that never gets ready leaves nothing behind but the memory of it', async () => {
    const heater = aTestPackage('heater', '1.0.0', { health: 'never-ready' });
    await gateway.deliver(heater);
    expect(gateway.word('heater')).toBe('refused');
    expect(lastReport()).toMatchObject({ kind: 'failure', state: 'rolled-back', number: 'E503', code: 'START_TIMEOUT' });
    expect(existsSync(join(folder('heater'), 'current'))).toBe(false);
    expect(readdirSync(join(gateway.dataDir, 'store'))).toEqual([]);
  });

  test('that ends again and again during its probation is a crash loop, and is undone', async () => {
    await gateway.deliver(aTestPackage('heater', '1.0.0', { health: 'crashing' }));
    expect(gateway.apps).toHaveLength(3);
    expect(lastReport()).toMatchObject({ state: 'rolled-back', code: 'HEALTH_PROBE_FAILED', detail: { exits: 3 } });
  });

  test('that uses too much memory says so', async () => {
    await gateway.deliver(aTestPackage('heater', '1.0.0', { health: 'out-of-memory' }));
    expect(lastReport()).toMatchObject({ state: 'rolled-back', number: 'E601', detail: { actual: 20_000_000 } });
  });

  test('that gets nowhere at its memory limit is told as that, not as a silence', async () => {
    await gateway.deliver(aTestPackage('heater', '1.0.0', { health: 'thrashing' }));
    expect(lastReport()).toMatchObject({
      state: 'rolled-back',
      number: 'E601',
      detail: { kind: 'thrash-start', limit: 33_554_432, actual: 20_000_000 },
    });
  });

  test('that the installer refuses changes nothing on disk', async () => {
    await gateway.deliver(aTestPackage('heater', '1.0.0', { refusedBy: 'PKG_WRONG_MODEL' }));
    expect(lastReport()).toMatchObject({ kind: 'failure', state: 'rejected', number: 'E207' });
    expect(gateway.word('heater')).toBe('refused');
    for (const name of ['store', 'staging', 'download']) expect(readdirSync(join(gateway.dataDir, name))).toEqual([]);
    expect(existsSync(folder('heater'))).toBe(false);
  });
});

describe('an update', () => {
  beforeEach(() => gateway.deliver(aTestPackage('heater')));

  test('that fails its health check is rolled back to the last committed version', async () => {
    await gateway.deliver(aTestPackage('heater', '1.1.0', { health: 'never-ready' }));
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.word('heater')).toBe('running-previous');
    expect(lastReport()).toMatchObject({ state: 'rolled-back', version: '1.1.0', detail: { prev: '1.0.0' } });
    expect(readlinkSync(join(folder('heater'), 'current'))).toContain(aTestPackage('heater').wish.package.sha256);
  });

  test('that failed is not tried again, until a new digest or a higher attempt comes', async () => {
    const bad = aTestPackage('heater', '1.1.0', { health: 'never-ready' });
    await gateway.deliver(bad);
    const tried = gateway.installs;
    await gateway.deliver(bad);
    await gateway.pass(7_200_000);
    expect(gateway.installs).toBe(tried);

    await gateway.deliver(aTestPackage('heater', '1.1.0', { wish: { attempt: 2 } }));
    expect(gateway.runningVersion('heater')).toBe('1.1.0');
  });

  test('that changes the format of the data gives them back as they were', async () => {
    gateway.writeData('heater', 'as it was');
    await gateway.wish([aTestPackage('heater', '2.0.0', { health: 'never-ready', manifest: { data: { format: 2 } } })]);
    gateway.writeData('heater', 'in format 2');
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(readFileSync(join(folder('heater'), 'data', 'note'), 'utf8')).toBe('as it was');
    expect(existsSync(join(folder('heater'), 'data.kept'))).toBe(false);
  });

  test('that changes the format and is committed keeps the new data, and drops the copy', async () => {
    gateway.writeData('heater', 'as it was');
    await gateway.wish([aTestPackage('heater', '2.0.0', { manifest: { data: { format: 2 } } })]);
    gateway.writeData('heater', 'in format 2');
    await gateway.pass(61_000);
    expect(readFileSync(join(folder('heater'), 'data', 'note'), 'utf8')).toBe('in format 2');
    expect(existsSync(join(folder('heater'), 'data.kept'))).toBe(false);
  });

  test('keeps the version before, and no other', async () => {
    await gateway.deliver(aTestPackage('heater', '1.1.0'));
    await gateway.deliver(aTestPackage('heater', '1.2.0'));
    const kept = ['1.1.0', '1.2.0'].map((version) => aTestPackage('heater', version).wish.package.sha256);
    expect(readdirSync(join(gateway.dataDir, 'store')).sort()).toEqual(kept.sort());
  });

  test('with a renewed signature over the same software is committed without a restart', async () => {
    const resigned = aTestPackage('heater', '1.0.0', { signerSerial: '2' });
    const other = { ...resigned.wish.package, sha256: aTestPackage('resigned').wish.package.sha256 };
    const starts = gateway.apps.length;
    await gateway.deliver({ ...resigned, wish: { ...resigned.wish, package: other } });
    expect(gateway.record('heater')?.committed?.signer.serial).toBe('2');
    expect(gateway.apps).toHaveLength(starts);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('to an older version is refused before a byte is downloaded', async () => {
    await gateway.deliver(aTestPackage('heater', '0.9.0'));
    expect(lastReport()).toMatchObject({ state: 'rejected', number: 'E204', detail: { expected: '1.0.0', found: '0.9.0' } });
    expect(gateway.downloads).toBe(1);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('back by an order is done, and the way up is open again', async () => {
    await gateway.deliver(aTestPackage('heater', '1.2.0'));
    const order = { from: '1.2.0', order: 'a'.repeat(26), reason: 'fault' } as never;
    await gateway.deliver(aTestPackage('heater', '1.0.0', { wish: { rollback: order } }));
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    await gateway.deliver(aTestPackage('heater', '1.1.0'));
    expect(gateway.runningVersion('heater')).toBe('1.1.0');
  });
});

describe('an update that cannot be brought back', () => {
  /** A flash cell lost the committed package while the new version was on probation. */
  beforeEach(async () => {
    await gateway.deliver(aTestPackage('heater'));
    gateway.writeData('heater', 'of this household');
    await gateway.wish([aTestPackage('heater', '1.1.0', { health: 'never-ready' })]);
    rmSync(join(gateway.dataDir, 'store', aTestPackage('heater').wish.package.sha256), { recursive: true });
    await gateway.pass(61_000);
  });

  test('is stuck: told once, with the reason of the rollback, and shown as stopped', async () => {
    const failures = gateway.reports('failure');
    expect(failures).toMatchObject([
      { state: 'stuck', number: 'E511', version: '1.1.0', detail: { prev: '1.0.0', after: 'START_TIMEOUT' } },
    ]);
    expect(gateway.events.filter(({ event }) => event === 'delivery.stuck')).toHaveLength(1);
    expect(gateway.snapshot().software[0]).toMatchObject({ state: 'stopped', reason: { code: 'ROLLBACK_FAILED' } });
    expect(gateway.state().deployments).toEqual([]);
  });

  test('is not tried again by itself, also after a power cut, and its data are kept', async () => {
    gateway.cutPower();
    await gateway.boot();
    await gateway.pass(7_200_000);
    expect(gateway.installs).toBe(2);
    expect(gateway.reports('failure')).toHaveLength(1);
    expect(readFileSync(join(folder('heater'), 'data', 'note'), 'utf8')).toBe('of this household');
  });

  test('ends with the next version, and the neighbour never noticed', async () => {
    await gateway.deliver(aTestPackage('lamp'), aTestPackage('heater', '1.2.0'));
    await gateway.pass(61_000);
    expect([gateway.runningVersion('heater'), gateway.runningVersion('lamp')]).toEqual(['1.2.0', '1.0.0']);
    expect(gateway.word('heater')).toBe('running');
  });
});

describe('a download', () => {
  const unreachable = () => new TsugiteError('SERVER_UNREACHABLE', { host: 'server.test' });

  test('that fails is tried again until it succeeds', async () => {
    gateway.downloadFaults.push(unreachable(), unreachable());
    await gateway.wish([aTestPackage('heater')]);
    expect(gateway.word('heater')).toBe('failed');
    await gateway.pass(600_000);
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.downloads).toBe(3);
  });

  test('with a wrong digest is fetched once more, then it has failed', async () => {
    gateway.downloadFaults.push(...[1, 2, 3].map(() => new TsugiteError('PKG_DIGEST_MISMATCH', { expected: 'a', found: 'b' })));
    await gateway.deliver(aTestPackage('heater'));
    expect(gateway.downloads).toBe(2);
    expect(lastReport()).toMatchObject({ kind: 'failure', state: 'failed', number: 'E203', detail: { expected: 'a', found: 'b' } });
    expect(gateway.word('heater')).toBe('refused');
  });

  test('that the server refuses is not tried again', async () => {
    gateway.downloadFaults.push(new TsugiteError('DOWNLOAD_REFUSED', { status: 404 }));
    await gateway.deliver(aTestPackage('heater'));
    await gateway.pass(86_400_000);
    expect(gateway.downloads).toBe(1);
    expect(lastReport()).toMatchObject({ state: 'rejected', number: 'E412' });
  });

  test('that does not come to an end ends at its deadline', async () => {
    gateway.downloadFaults.push(...Array.from({ length: 1_000 }, unreachable));
    await gateway.wish([aTestPackage('heater')]);
    for (let days = 0; days < 15; days++) await gateway.clock.advanceMs(86_400_000);
    await gateway.settled();
    expect(lastReport()).toMatchObject({ state: 'failed', number: 'E512' });
    expect(gateway.state().deployments).toEqual([]);
  });

  test('that waits for another try does not keep other software waiting', async () => {
    gateway.downloadFaults.push(unreachable());
    await gateway.wish([aTestPackage('heater'), aTestPackage('lamp')]);
    await gateway.pass(25_000);
    expect(
      gateway
        .state()
        .deployments.map(({ wish, state }) => `${wish.software} ${state}`)
        .sort(),
    ).toEqual(['heater.acme downloading', 'lamp.acme probation']);
  });

  test('is ended by a newer notice, and the newer version is fetched', async () => {
    gateway.downloadFaults.push(unreachable());
    await gateway.wish([aTestPackage('heater')]);
    await gateway.deliver(aTestPackage('heater', '1.1.0'));
    expect(gateway.reports().map(({ state, version }) => `${state} ${version}`)).toEqual([
      'accepted 1.0.0',
      'superseded 1.0.0',
      'accepted 1.1.0',
      'committed 1.1.0',
    ]);
  });
});

describe('room', () => {
  test('that is missing refuses with both numbers, and is asked for again when there is more', async () => {
    gateway.freeBytes.value = 1_000_000;
    await gateway.deliver(aTestPackage('heater'));
    expect(lastReport()).toMatchObject({ state: 'rejected', number: 'E305', detail: { free: 1_000_000 } });
    expect(gateway.downloads).toBe(0);
    await gateway.pass(7_200_000);
    expect(gateway.reports('failure')).toHaveLength(1);

    gateway.freeBytes.value = 500_000_000;
    await gateway.pass(3_600_000);
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('is made by dropping versions that only comfort needs', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.deliver(aTestPackage('heater', '1.1.0'));
    gateway.freeBytes.value = 1_000_000;
    await gateway.deliver(aTestPackage('heater', '1.1.0'), aTestPackage('lamp'));
    expect(readdirSync(join(gateway.dataDir, 'store'))).toEqual([aTestPackage('heater', '1.1.0').wish.package.sha256]);
  });
});

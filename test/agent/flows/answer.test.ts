import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../../protocol/statements/notice.ts';
import { anAgentBench, aTestPackage } from '../../support/agent-bench.ts';
import { digestOfText } from '../../support/mint.ts';

let bench: ReturnType<typeof anAgentBench>;
beforeEach(async () => {
  bench = anAgentBench();
  await bench.boot();
});
afterEach(() => bench.remove());

const dayMs = 86_400_000;
/** Japan time at the bench's start is not in it, nor within the next hours. */
const farHours = { from: '03:00', to: '03:01' } as const;

async function anUpdateThatWaits(wish: Partial<Target> = { window: farHours }) {
  await bench.deliver(aTestPackage('heater', '1.0.0'));
  const update = aTestPackage('heater', '1.1.0', { wish });
  await bench.wish([update]);
  expect(bench.runningVersion('heater')).toBe('1.0.0');
  return update;
}

describe('install --now', () => {
  test('does not wait for the hours, and the consent reaches the server', async () => {
    await anUpdateThatWaits();
    expect(bench.snapshot().software[0]?.reason?.code).toBe('WINDOW_WAIT');

    expect(await bench.ask({ kind: 'install-now', software: 'heater.acme' })).toMatchObject({ updates: [{ version: '1.1.0' }] });
    await bench.pass(61_000);

    expect(bench.runningVersion('heater')).toBe('1.1.0');
    expect(bench.reports('answer')[0]).toMatchObject({
      software: 'heater.acme',
      version: '1.1.0',
      detail: { answer: 'consent', scope: 'install-now', by: 'command' },
    });
  });

  test('does not wait for the spreading of the fleet', async () => {
    await bench.deliver(aTestPackage('heater', '1.0.0'));
    const spread = { keepaliveS: 1680, jitterS: 7200, probationS: 60, telemetryBytesPerMonth: 0, dataGraceDays: 30 };
    const budget = { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 };
    await bench.wish([aTestPackage('heater', '1.1.0')], { policy: { ...spread, budget } });
    await bench.pass(61_000);
    expect(bench.runningVersion('heater')).toBe('1.0.0');

    await bench.ask({ kind: 'install-now', software: null });
    await bench.pass(61_000);
    expect(bench.runningVersion('heater')).toBe('1.1.0');
  });

  test('is a choice about one digest: the next version waits for its hours again', async () => {
    await anUpdateThatWaits();
    await bench.ask({ kind: 'install-now', software: null });
    await bench.pass(61_000);
    await bench.wish([aTestPackage('heater', '1.2.0', { wish: { window: farHours } })]);
    await bench.pass(61_000);
    expect(bench.runningVersion('heater')).toBe('1.1.0');
  });
});

describe('postpone', () => {
  test('puts an update off by a day; then it is installed by itself', async () => {
    await anUpdateThatWaits();
    await bench.ask({ kind: 'postpone', software: 'heater.acme' });
    expect(bench.snapshot().software[0]?.reason?.code).toBe('POSTPONED');
    expect(bench.reports('answer').at(-1)).toMatchObject({ number: 'E515', code: 'POSTPONED', detail: { answer: 'postpone' } });
    await bench.pass(dayMs - 60_000);
    expect(bench.runningVersion('heater')).toBe('1.0.0');
    await bench.pass(dayMs);
    await bench.pass(61_000);
    expect(bench.runningVersion('heater')).toBe('1.1.0');
  });

  test('holds through a power cut', async () => {
    await anUpdateThatWaits();
    await bench.ask({ kind: 'postpone', software: null });
    bench.cutPower();
    await bench.boot();
    expect(bench.snapshot().software[0]?.reason?.code).toBe('POSTPONED');
  });

  test('ends after 7 days in all, whatever is asked', async () => {
    await anUpdateThatWaits();
    for (let day = 0; day < 7; day++) await bench.ask({ kind: 'postpone', software: null });
    await expect(bench.ask({ kind: 'postpone', software: null })).rejects.toMatchObject({ code: 'POSTPONE_LIMIT' });
    expect(bench.settingsView().pending[0]?.mayPostponeUntilMs).toBeNull();
    await bench.pass(3 * dayMs);
    await expect(bench.ask({ kind: 'postpone', software: null })).rejects.toMatchObject({ code: 'POSTPONE_LIMIT' });
  });

  test('leaves a day before the deadline', async () => {
    const deadline = new Date(bench.clock.wallMs() + 2 * dayMs).toISOString().replace(/\.\d+Z/, 'Z') as Target['deadline'];
    await anUpdateThatWaits({ window: farHours, deadline });
    await bench.ask({ kind: 'postpone', software: null });
    await expect(bench.ask({ kind: 'postpone', software: null })).rejects.toMatchObject({ code: 'POSTPONE_LIMIT' });
  });

  test('is not for a first installation, and not without anything that waits', async () => {
    await bench.wish([aTestPackage('heater', '1.0.0', { wish: { window: farHours } })]);
    await expect(bench.ask({ kind: 'postpone', software: null })).rejects.toMatchObject({ code: 'NOTHING_PENDING' });
    await expect(bench.ask({ kind: 'postpone', software: 'boiler.acme' })).rejects.toMatchObject({ code: 'SOFTWARE_NOT_LISTED' });
  });

  test("does not stand in the way of the operator's order back", async () => {
    await bench.deliver(aTestPackage('heater', '1.1.0'));
    const back = aTestPackage('heater', '1.0.0', {
      wish: {
        window: farHours,
        package: { sha256: digestOfText('older'), bytes: 1_000 },
        rollback: { from: '1.1.0' as Target['version'], order: 'o'.repeat(20) as Target['target'], reason: 'recall' },
      },
    });
    await bench.wish([back]);
    await expect(bench.ask({ kind: 'postpone', software: null })).rejects.toMatchObject({ code: 'NOTHING_PENDING' });
  });
});

describe('confirm, consent and resync', () => {
  test('what a technician saw is reported and remembered', async () => {
    await bench.ask({ kind: 'confirm', item: 'office-equipment', value: 'no' });
    expect(bench.reports('answer')[0]?.detail).toEqual({ answer: 'confirm', item: 'office-equipment', value: 'no', by: 'command' });
    bench.cutPower();
    await bench.boot();
    expect(bench.settingsView().confirmations).toMatchObject([{ item: 'office-equipment', value: 'no' }]);
  });

  test('consent is given to a request that stands, and ends after 24 hours', async () => {
    const id = 'r'.repeat(20) as Target['target'];
    const expires = new Date(bench.clock.wallMs() + 3 * dayMs).toISOString().replace(/\.\d+Z/, 'Z') as Target['deadline'];
    await expect(bench.ask({ kind: 'consent', request: id, isGiven: true, withOutput: false })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await bench.wish([], { requests: [{ id, kind: 'bundle', expires, maxBytes: 1_000_000 }] });
    expect(bench.settingsView().requests).toMatchObject([{ id, consent: null }]);

    await bench.ask({ kind: 'consent', request: id, isGiven: true, withOutput: false });
    expect(bench.reports('answer')[0]?.detail).toMatchObject({
      answer: 'consent',
      scope: 'diagnostics',
      request: id,
      given: true,
      output: false,
    });
    expect(bench.settingsView().requests[0]?.consent).toMatchObject({ isGiven: true });
    await bench.pass(dayMs + 60_000);
    expect(bench.settingsView().requests[0]?.consent).toBeNull();
  });

  test('resync says what is committed here', async () => {
    await bench.deliver(aTestPackage('heater', '1.0.0'));
    expect(await bench.ask({ kind: 'resync' })).toMatchObject({ kind: 'resync', isOnline: true });
    expect(bench.reports('resync')[0]?.detail).toMatchObject({ by: 'command', committed: [expect.stringContaining('1.0.0')] });
  });
});

import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isFinal } from '../../../agent/rules/deployment-machine.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { type AgentBench, anAgentBench, aTestPackage, type TestPackage } from '../../support/agent-bench.ts';
import { anId, aRemoval } from '../../support/mint.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
});
afterEach(() => gateway.remove());

const failures = () => gateway.reports('failure').map(({ state, number }) => `${state} ${number}`);

describe('the power is cut', () => {
  test('while software runs: it is back after the next boot, and nothing is reported', async () => {
    await gateway.deliver(aTestPackage('heater'));
    const reports = gateway.reports().length;
    gateway.cutPower();
    await gateway.boot();
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.reports()).toHaveLength(reports);
  });

  test('during a probation: it begins again, and is committed', async () => {
    await gateway.wish([aTestPackage('heater')]);
    gateway.cutPower();
    await gateway.boot();
    expect(gateway.state().deployments[0]).toMatchObject({ state: 'probation', restarts: 1 });
    await gateway.pass(61_000);
    expect(gateway.word('heater')).toBe('running');
  });

  test('three times in one probation: the version before is brought back, and it is not tried again by itself', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.wish([aTestPackage('heater', '1.1.0')]);
    for (let cuts = 0; cuts < 3; cuts++) {
      gateway.cutPower();
      await gateway.boot();
    }
    expect(failures()).toEqual(['rolled-back E504']);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
  });

  test('while the disk holds an activation: it is undone, tried again by itself, and told as E506', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.wish([aTestPackage('heater', '1.1.0')]);
    stateOnDisk('activating', aTestPackage('heater', '1.1.0'));
    await gateway.boot();
    expect(failures()).toEqual(['rolled-back E506']);
    await gateway.pass(61_000);
    expect(gateway.runningVersion('heater')).toBe('1.1.0');
  });

  test('in every activation: it is tried three times in all, then waits for an order', async () => {
    await gateway.deliver(aTestPackage('heater'));
    await gateway.wish([aTestPackage('heater', '1.1.0')]);
    for (let cuts = 0; cuts < 3; cuts++) {
      stateOnDisk('activating', aTestPackage('heater', '1.1.0'));
      await gateway.boot();
      await gateway.settled();
    }
    expect(failures()).toEqual(['rolled-back E506', 'rolled-back E506', 'rolled-back E506']);
    await gateway.pass(3_600_000);
    expect(gateway.runningVersion('heater')).toBe('1.0.0');
    expect(gateway.word('heater')).toBe('running-previous');
  });

  test('after the end of a deployment, before its report: the report is made up for', async () => {
    gateway.acknowledge(false);
    stateOnDisk('failed', aTestPackage('heater'), { code: 'PKG_DIGEST_MISMATCH', detail: {} });
    await gateway.boot();
    expect(gateway.reports('failure')).toHaveLength(1);
    expect(gateway.state().deployments).toEqual([]);
  });

  test('in the middle of a removal: it is done to its end and reported', async () => {
    const heater = aTestPackage('heater');
    await gateway.deliver(heater);
    gateway.writeData('heater', 'of this household');
    await gateway.stop();
    const path = join(gateway.dataDir, 'state.json');
    rewrite(path, (state) => ({
      ...state,
      purging: { target: heater.wish.target, software: 'heater.acme', provider: 'acme', reason: 'cancelled' },
    }));
    await gateway.boot();
    expect(gateway.reports('purge')).toHaveLength(1);
    expect(existsSync(join(gateway.dataDir, 'software', 'acme', 'heater.acme', 'data', 'note'))).toBe(false);
    // The notice still lists it, so it is installed anew, for whoever has it now.
    expect(gateway.word('heater')).toBe('installing');
  });

  /** What an agent would have left, had the power been cut right after it wrote this state down. */
  function stateOnDisk(state: string, { wish, manifest }: TestPackage, fault: unknown = null): void {
    gateway.packages.set(wish.package.sha256, { wish, manifest, health: 'ready', signerSerial: '1' });
    const path = join(gateway.dataDir, 'state.json');
    const before = gateway.record('heater');
    gateway.cutPower();
    const signer = { issuer: `sha256:${'a'.repeat(64)}`, serial: '1', organisation: '株式会社アクメ', notAfterMs: 1 };
    const deployment = {
      ...{ id: 'd'.repeat(26), wish, state, startedAt: '2026-11-22T00:00:00Z', restarts: 0, wrongDigests: 0, downloadTries: 1 },
      ...{ verified: { manifest, signer }, dataSaved: false, fault },
    };
    rewrite(path, (now) => ({ ...now, deployments: [deployment] }), before === undefined ? { gateway: 'hgw-0001' } : {});
  }
});

test.each([0, 1, 2, 3, 4, 5, 6])(
  'a purge for a new contract is done and reported, whichever save the power is cut at (%i)',
  async (saves) => {
    const heater = aTestPackage('heater');
    await gateway.deliver(heater);
    gateway.writeData('heater', 'of this household');
    const other = { ...heater, wish: { ...heater.wish, target: anId('newcontract') } };
    gateway.cutPowerAfterSaves(saves);
    await gateway.wish([other]).catch(() => {});
    gateway.cutPower();
    await gateway.boot();
    await gateway.wish([other]);
    expect(gateway.reports('purge').map(({ target }) => target)).toContain(heater.wish.target);
    expect(existsSync(join(gateway.dataDir, 'software', 'acme', 'heater.acme', 'data', 'note'))).toBe(false);
    expect(gateway.state().purging).toBeNull();
  },
);

test('over a whole state of another version of ours the agent does not start, and deletes nothing', async () => {
  await gateway.deliver(aTestPackage('heater'));
  gateway.writeData('heater', 'of this household');
  await gateway.stop();
  for (const name of ['state.json', 'state.json.previous']) rewrite(join(gateway.dataDir, name), (state) => ({ ...state, v: 2 }));
  await expect(gateway.boot()).rejects.toThrowError(/E906/);
  expect(existsSync(join(gateway.dataDir, 'software', 'acme', 'heater.acme', 'data', 'note'))).toBe(true);
});

test('over a state that is lost altogether everything is delivered anew, and data that nobody can be told to own are purged', async () => {
  await gateway.deliver(aTestPackage('heater'));
  gateway.writeData('heater', 'of this household');
  await gateway.stop();
  for (const name of ['state.json', 'state.json.previous']) writeFileSync(join(gateway.dataDir, name), 'x');
  await gateway.boot();
  expect(existsSync(join(gateway.dataDir, 'software', 'acme', 'heater.acme', 'data', 'note'))).toBe(false);
  await gateway.pass(61_000);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
});

test('a state file that is damaged is replaced by its previous copy', async () => {
  await gateway.deliver(aTestPackage('heater'));
  await gateway.stop();
  const path = join(gateway.dataDir, 'state.json');
  writeFileSync(path, readFileSync(path).subarray(0, 500));
  await gateway.boot();
  expect(gateway.record('heater')?.committed?.version).toBe('1.0.0');
  await gateway.pass(61_000);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
});

test('a deployment always ends, over loss, reboot and duplication', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 30_000, 61_000, 3_600_000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut' as const) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('cut-within' as const), saves: fc.integer({ min: 0, max: 12 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), times: fc.integer({ min: 1, max: 4 }) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('wish' as const),
        version: fc.constantFrom('1.0.0', '1.1.0', '2.0.0'),
        health: fc.constantFrom('ready' as const, 'never-ready' as const, 'crashing' as const, 'dying' as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const home = anAgentBench();
      try {
        await home.boot();
        await home.wish([aTestPackage('heater')]);
        for (const next of steps) {
          if (next.kind === 'cut-within') {
            home.cutPowerAfterSaves(next.saves);
            await home.wish([aTestPackage('heater', '1.2.0')]).catch(() => {});
            await home.pass(61_000);
            home.cutPower();
            await home.boot();
          }
          if (next.kind === 'pass') await home.pass(next.ms);
          if (next.kind === 'cut') {
            home.cutPower();
            await home.boot();
          }
          if (next.kind === 'lose')
            home.downloadFaults.push(...Array.from({ length: next.times }, () => new TsugiteError('SERVER_UNREACHABLE', {})));
          if (next.kind === 'wish') {
            const wanted = aTestPackage('heater', next.version, { health: next.health });
            await home.wish([wanted]);
            // MQTT 3.1.1 §4.4: at least once.
            await home.wish([wanted]);
          }
          if (next.kind === 'remove') await home.wish([], { removed: [aRemoval(aTestPackage('heater').wish)] });
        }
        home.downloadFaults.length = 0;
        for (let hours = 0; hours < 6; hours++) await home.pass(3_600_000);
        expect(home.state().deployments).toEqual([]);
        const told = home.reports().filter(({ deployment }) => deployment !== undefined);
        for (const { deployment } of told.filter(({ kind }) => kind === 'start'))
          expect(told.some((report) => report.deployment === deployment && report.state !== undefined && isFinal(report.state))).toBe(true);
      } finally {
        home.remove();
      }
    }),
    { numRuns: 60 },
  );
}, 60_000);

/** Writes a state as the agent itself would have: with its checksum. */
function rewrite(
  path: string,
  change: (state: Record<string, unknown>) => Record<string, unknown>,
  fresh: Record<string, unknown> = {},
): void {
  const empty = { v: 1, gateway: '', records: [], deployments: [], closedRemovals: [], purging: null, answeredRequests: [] };
  const { checksum: _, ...now } = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : empty;
  const next = { ...change(now), ...fresh };
  const checksum = createHash('sha256').update(JSON.stringify(next)).digest('hex');
  writeFileSync(path, JSON.stringify({ ...next, checksum }));
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
  await gateway.deliver(aTestPackage('heater'));
});
afterEach(() => gateway.remove());

const saved = () => ['state.json', join('trust', 'notice.json')].map((name) => readFileSync(join(gateway.dataDir, name), 'utf8'));

test('a notice that cannot be saved is not acknowledged, so it comes again; when there is room it is obeyed', async () => {
  const before = saved();
  gateway.fillDisk(true);
  await expect(gateway.wish([aTestPackage('heater', '1.1.0')])).rejects.toThrowError(/DISK_FULL/);
  expect(saved()).toEqual(before);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');

  gateway.fillDisk(false);
  await gateway.deliver(aTestPackage('heater', '1.1.0'));
  expect(gateway.runningVersion('heater')).toBe('1.1.0');
});

test('a deployment that meets a full disk in the middle goes on when there is room', async () => {
  await gateway.wish([aTestPackage('heater', '1.1.0')]);
  gateway.fillDisk(true);
  await gateway.pass(61_000);
  expect(gateway.state().deployments[0]?.state).toBe('probation');
  gateway.fillDisk(false);
  await gateway.pass(61_000);
  await gateway.pass(61_000);
  expect(gateway.record('heater')?.committed?.version).toBe('1.1.0');
});

test('a full disk stops no software, and its crashes are mended', async () => {
  gateway.fillDisk(true);
  await gateway.pass(7_200_000);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
  gateway.apps.at(-1)?.end({ status: 1, signal: null, outOfMemory: 'kill', memoryPeakBytes: 1 });
  await gateway.settled();
  await gateway.pass(120_000);
  expect(gateway.runningVersion('heater')).toBe('1.0.0');
});

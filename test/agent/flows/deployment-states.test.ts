/**
 * Each state of the deployment table, reached on a real disk by the flows that run it. A row is the state's own: what is done with it is all that a
 * test of this state needs to know. docs/operations/deployment-states.md shows the same rows to people.
 */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isFinal, machine } from '../../../agent/rules/deployment-machine.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { DeploymentState } from '../../../protocol/messages/report.ts';
import { type AgentBench, anAgentBench, aTestPackage } from '../../support/agent-bench.ts';

let gateway: AgentBench;
beforeEach(async () => {
  gateway = anAgentBench();
  await gateway.boot();
});
afterEach(() => gateway.remove());

const heater = (version = '1.0.0', more: Parameters<typeof aTestPackage>[2] = {}) => aTestPackage('heater', version, more);
const packageOf = (version: string) => join(gateway.dataDir, 'store', heater(version).wish.package.sha256);

type Row = { how: string; reach: () => Promise<unknown>; path: readonly DeploymentState[] };
const rows: Record<DeploymentState, Row> = {
  accepted: {
    how: 'a notice lists a version that is not here',
    reach: () => gateway.wish([heater()]),
    path: ['accepted'],
  },
  downloading: {
    how: 'the server cannot be reached: tried again until the deadline',
    async reach() {
      gateway.downloadFaults.push(new TsugiteError('SERVER_UNREACHABLE', { host: 'server.test' }));
      await gateway.wish([heater()]);
    },
    path: ['accepted', 'downloading'],
  },
  verifying: {
    how: 'the whole file is here, and the installer child proves it',
    reach: () => gateway.wish([heater('1.0.0', { refusedBy: 'SIGNATURE_INVALID' })]),
    path: ['accepted', 'downloading', 'verifying', 'rejected'],
  },
  unpacking: {
    how: 'the package is proven, and becomes one of the store in one step',
    reach: () => gateway.wish([heater()]),
    path: ['accepted', 'downloading', 'verifying', 'unpacking'],
  },
  activating: {
    how: 'the new version takes the place of the committed one',
    reach: () => gateway.wish([heater()]),
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating'],
  },
  probation: {
    how: 'the new version runs and is watched',
    reach: () => gateway.wish([heater()]),
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation'],
  },
  committed: {
    how: 'the probation is over, and it still runs',
    reach: () => gateway.deliver(heater()),
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation', 'committed'],
  },
  rejected: {
    how: 'refused before its download: too large for the plan',
    reach: () => gateway.wish([heater('1.0.0', { wish: { limits: { ...heater().wish.limits, installedBytes: 1_000 } } })]),
    path: ['accepted', 'rejected'],
  },
  failed: {
    how: 'the bytes differ from the notice, twice',
    async reach() {
      gateway.downloadFaults.push(...[1, 2].map(() => new TsugiteError('PKG_DIGEST_MISMATCH', { expected: 'a', found: 'b' })));
      await gateway.wish([heater()]);
    },
    path: ['accepted', 'downloading', 'failed'],
  },
  superseded: {
    how: 'a newer notice wants another version before this one was activated',
    async reach() {
      gateway.downloadFaults.push(new TsugiteError('SERVER_UNREACHABLE', { host: 'server.test' }));
      await gateway.wish([heater()]);
      await gateway.wish([heater('1.1.0')]);
    },
    path: ['accepted', 'downloading', 'superseded'],
  },
  'rolling-back': {
    how: 'the new version never gets ready',
    reach: () => updateThat('never-ready'),
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation', 'rolling-back'],
  },
  'rolled-back': {
    how: 'the committed version is in its place again',
    reach: () => updateThat('never-ready'),
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation', 'rolling-back', 'rolled-back'],
  },
  stuck: {
    how: 'the committed version cannot be brought back: its package was lost meanwhile',
    async reach() {
      await gateway.deliver(heater());
      await gateway.wish([heater('1.1.0', { health: 'never-ready' })]);
      rmSync(packageOf('1.0.0'), { recursive: true });
      await gateway.pass(61_000);
    },
    path: ['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation', 'rolling-back', 'stuck'],
  },
};

async function updateThat(health: 'never-ready'): Promise<void> {
  await gateway.deliver(heater());
  await gateway.deliver(heater('1.1.0', { health }));
}

describe('a deployment reaches', () => {
  test.each(Object.entries(rows))('%s', async (state, { reach, path }) => {
    await reach();
    const reached = [...gateway.reached.values()];
    expect(reached.filter((states) => path.every((name, index) => states[index] === name))).not.toEqual([]);
    expect(path.includes(state as DeploymentState)).toBe(true);
    // What has ended is forgotten; what has not, goes on.
    const open = gateway.state().deployments.map((deployment) => deployment.state);
    expect(open.some((name) => isFinal(name))).toBe(false);
  });

  test('every state of the table has a row, and docs/operations/deployment-states.md shows each', () => {
    expect(Object.keys(rows).sort()).toEqual(Object.keys(machine).sort());
    const page = readFileSync('docs/operations/deployment-states.md', 'utf8');
    for (const [state, { how }] of Object.entries(rows)) expect(page).toContain(`| \`${state}\` | ${how} |`);
    expect(page.match(/^\| `/gm)).toHaveLength(Object.keys(machine).length);
  });
});

/**
 * scripts/bench footprint: what an idle agent costs its gateway. It is connected to a real server over mTLS, serves its page, and one app runs.
 * Beside it, in the same rounds, a Node that does nothing: below that no agent of ours can be.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { readLog } from '../../agent/adapters/log-reader.ts';
import { agentNode, type EmulatedGateway } from '../../provider/emulator/index.ts';
import { isBelow, processesWhere } from '../story/processes.ts';
import { stopped } from '../story/programs.ts';
import { seen } from '../story/story.ts';
import { measureBundle } from './agent-bundle.ts';
import { type Memory, memoryOf } from './process-figures.ts';
import { atMost, type BenchOptions, type Measurement, type Row, rounded } from './result.ts';
import { inRounds, keep, median } from './rounds.ts';
import { withRunningGateway } from './running-gateway.ts';

const defaultRounds = 5;
const idleMs = 5_000;
const withinMs = 30_000;
type Figures = Memory & { readonly startMs: number };

export function measureFootprint({ rounds = defaultRounds, say }: BenchOptions): Promise<Measurement> {
  say('footprint: server, gateway and app, as in scripts/demo');
  return withRunningGateway(say, async (gateway) => {
    await gateway.stop();
    const bare: Figures[] = [];
    const agent: Figures[] = [];
    await inRounds(
      rounds,
      [async (isKept) => keep(bare, isKept, await measureBareNode()), async (isKept) => keep(agent, isKept, await measureAgent(gateway))],
      say,
    );
    const bundle = await measureBundle(() => startAndStop(gateway));
    const [rss, dirty, start] = (['rssBytes', 'privateDirtyBytes', 'startMs'] as const).map((figure) =>
      median(agent.map((one) => one[figure])),
    );
    const kilobytes = (bytes: number) => rounded(bytes / 1000, 1);
    return {
      rows: [
        rowOf('node that does nothing', bare),
        rowOf('agent: mTLS, page, one app', agent),
        { code: 'loaded by the running agent', files: bundle.loadedFiles, kB: kilobytes(bundle.loadedBytes) },
        { code: 'dist/agent', files: bundle.builtFiles, kB: kilobytes(bundle.builtBytes) },
      ],
      goals: [
        atMost('agent-rss-mb', 54, mebibytes(rss ?? Number.NaN), 'MiB'),
        atMost('agent-private-mb', 14, mebibytes(dirty ?? Number.NaN), 'MiB'),
        atMost('agent-start-ms', 250, start ?? Number.NaN, 'ms'),
        atMost('agent-bundle-kb', 450, bundle.loadedBytes / 1000, 'kB'),
      ],
    };
  });
}

async function measureAgent(gateway: EmulatedGateway): Promise<Figures> {
  const startMs = await start(gateway);
  await delay(idleMs);
  const memory = memoryOf(gateway.agentPid ?? 0);
  await gateway.stop();
  return { ...memory, startMs };
}

/** @returns milliseconds from the spawn to the log's line that says that the subscription was acknowledged; the app runs by then too */
async function start(gateway: EmulatedGateway): Promise<number> {
  const lastSeq = readLog(gateway.dataDir).at(-1)?.seq ?? 0;
  const spawnedAtMs = Date.now();
  gateway.start();
  const online = await seen('the agent says that it is online', withinMs, () =>
    readLog(gateway.dataDir).find(({ seq, event }) => seq > lastSeq && event === 'link.online'),
  );
  await seen('the app runs', withinMs, () => {
    const apps = processesWhere((pid, command) => / \/app\/main\.js/.test(` ${command}`) && isBelow(pid, gateway.agentPid ?? -1));
    return apps.length > 0 ? apps : undefined;
  });
  return Date.parse(online.time) - spawnedAtMs;
}

async function startAndStop(gateway: EmulatedGateway): Promise<void> {
  await start(gateway);
  await delay(idleMs);
  await gateway.stop();
}

async function measureBareNode(): Promise<Figures> {
  const spawnedAtMs = Date.now();
  const child = spawn('/usr/bin/env', [...agentNode.slice(1), '-e', "setInterval(() => {}, 1e6); process.stdout.write('x')"], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const startMs = (await firstOutput(child)) - spawnedAtMs;
  await delay(idleMs);
  const memory = memoryOf(child.pid ?? 0);
  await stopped(child, 1_000);
  return { ...memory, startMs };
}

function firstOutput(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', () => resolve(Date.now()));
  });
}

/** 2^20 bytes: the goals were set by figures in this unit, where a Node that does nothing has 41 and 6.6. */
const mebibytes = (bytes: number) => bytes / 1_048_576;

function rowOf(process: string, figures: readonly Figures[]): Row {
  const medianMiB = (figure: keyof Memory) => rounded(mebibytes(median(figures.map((one) => one[figure]))), 1);
  const starts = figures.map(({ startMs }) => startMs);
  return {
    process,
    rssMiB: medianMiB('rssBytes'),
    privateDirtyMiB: medianMiB('privateDirtyBytes'),
    privateMiB: medianMiB('privateBytes'),
    startMs: Math.round(median(starts)),
    leastStartMs: Math.min(...starts),
    mostStartMs: Math.max(...starts),
  };
}

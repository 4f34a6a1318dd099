/**
 * An agent in a process of its own that installs and removes software again and again: real sandbox, real images, and every few times the home
 * network too. Run inside a gateway's network namespace; prints what it held after the first time, and after the last.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeChooseArea } from '../../agent/adapters/app-data/choose.ts';
import { makeProveSandbox } from '../../agent/adapters/sandbox/proof.ts';
import { makeSandboxHost } from '../../agent/adapters/sandbox/sandbox-host.ts';
import { makeSandbox } from '../../agent/adapters/sandbox.ts';
import { anAgentBench, aTestPackage } from './agent-bench.ts';
import { mountsAndLoops } from './leftovers.ts';
import { anId, aRemoval } from './mint.ts';
import { quietApp, realClock } from './running-app.ts';
import { until } from './until.ts';

export type Held = {
  uids: number[];
  descriptors: number;
  networkNamespaces: number;
  children: string[];
  controlGroups: string[];
  mountsAndLoops: string[];
  portsAndTables: string[];
  files: string[];
};

const cycles = Number(process.argv[2]);
const lanEvery = 5;
const tag = 'c0ffee';
/** In memory where there is such a place: a shared disk takes its time for each sync. */
const dataDir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cycles-'));
const runDir = join(dataDir, 'run');
mkdirSync(runDir);
const cgroupParent = `tsugite-cycles-${process.pid}`;
const host = makeSandboxHost({ runDir, cgroupParent });
const prove = makeProveSandbox(host);
const sandbox = makeSandbox({
  ...{ host, prove, clock: realClock },
  lan: { bridge: 'br-lan', pool: { from: 200, to: 239 }, tag },
  observer: { onOutput: () => {}, onTelemetry: () => {} },
});
const socketsDirOf = (uid: number) => join(runDir, String(uid));
const gateway = anAgentBench({ dataDir, real: { sandbox, chooseArea: makeChooseArea(runDir), socketsDirOf, program: quietApp } });

const uids = new Set<number>();
const lan = ['udp:3610'] as const;
async function cycle(number: number): Promise<void> {
  const target = anId(`cycle${number}`);
  const home = number % lanEvery === 0;
  const heater = aTestPackage('heater', '1.0.0', {
    wish: { target, grants: { lan: home ? [...lan] : [], wan: [], telemetry: false } as never },
    manifest: home ? { permissions: { lan: [...lan], wan: [], telemetry: false } as never } : {},
  });
  const events = gateway.events.length;
  const isSince = (event: string) => gateway.events.slice(events).some((entry) => entry.event === event);
  await gateway.wish([heater]);
  await until(() => isSince('app.ready'), `the start of cycle ${number}`, 60_000);
  if (home) await until(() => isSince('app.network_joined'), `the home network of cycle ${number}`, 60_000);
  await gateway.pass(61_000);
  if (gateway.word('heater') !== 'running') throw new Error(`cycle ${number}: ${gateway.word('heater')}`);
  uids.add(gateway.record('heater')?.uid ?? 0);
  await gateway.wish([], { removed: [aRemoval(heater.wish)] });
  await until(
    () => gateway.reports('purge').length === number + 1 && gateway.record('heater') === undefined,
    `the end of cycle ${number}`,
    60_000,
  );
}

async function held(): Promise<Held> {
  await until(() => mountsAndLoops(dataDir).length === 0, 'the kernel to let go of the image');
  const descriptors = readdirSync('/proc/self/fd').map((name) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`);
    } catch {
      return ''; // the one of this listing
    }
  });
  return {
    uids: [...uids],
    descriptors: descriptors.length,
    networkNamespaces: descriptors.filter((path) => path.startsWith('net:[') || path.includes('/ns/net')).length,
    children: childrenOf(process.pid),
    controlGroups: ['memory', 'pids', 'cpu'].flatMap((name) => foldersIn(`/sys/fs/cgroup/${name}/${cgroupParent}`)),
    mountsAndLoops: mountsAndLoops(dataDir),
    portsAndTables: [...tool('ip', '-o', 'link', 'show').matchAll(/tsg\S+/g), ...tool('nft', 'list', 'tables').matchAll(/\S*tsg\S+/g)].map(
      String,
    ),
    // Not what the agent knows and says: that stands in files that are there once.
    files: filesBelow(dataDir, ['outbox', 'trust', 'etc']).filter((path) => !/\.json(\.previous)?$/.test(path)),
  };
}

/** Dead ones that nobody has asked for (zombies) are children too. */
function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')
      .split(' ')
      .filter((child) => child.trim() !== '')
      .map((child) => readFileSync(`/proc/${child}/stat`, 'utf8').split(' ').slice(0, 3).join(' ')),
  );
}

function foldersIn(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

function tool(name: string, ...args: string[]): string {
  return execFileSync(name, args, { encoding: 'utf8' });
}

function filesBelow(folder: string, except: readonly string[]): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (except.includes(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? [`${path}/`, ...filesBelow(path, except)] : [path];
  });
}

await gateway.boot();
await cycle(0);
const before = await held();
for (let number = 1; number < cycles; number++) await cycle(number);
const after = await held();
await gateway.stop();
host.close();
const left = ['memory', 'pids', 'cpu'].filter((name) => readdirSync(`/sys/fs/cgroup/${name}`).includes(cgroupParent));
rmSync(dataDir, { recursive: true });
process.stdout.write(JSON.stringify({ before, after, left, heapBytes: process.memoryUsage().heapUsed }));
process.exit(0);

/** One running app: its sockets, its output, its readiness and its end. */

import { closeSync, constants as fsConstants, mkdirSync, openSync, rmSync, statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { OwnNumbers } from '../../../protocol/messages/own-numbers.ts';
import type { AppExit, AppProcess, AppSpec, Clock } from '../../ports.ts';
import { appProcessLimits, appProfile, dataDirInside, webSocketDirInside, webSocketName } from '../../rules/sandbox-profile.ts';
import { growRunning } from '../app-data/image.ts';
import { pathOnly } from '../app-socket.ts';
import { openGatewaySocket } from '../gateway-socket.ts';
import type { AppNetwork, AppNetworks } from './app-network.ts';
import { captureOutput, type OutputLine } from './app-output.ts';
import { type Launched, launch } from './bwrap-launcher.ts';
import type { Cgroup } from './cgroup.ts';
import { awaitReadiness } from './readiness.ts';
import type { SandboxHost } from './sandbox-host.ts';

export type AppObserver = {
  onOutput(app: AppSpec, line: OutputLine): void;
  /** @throws TsugiteError: what the app is answered */
  onTelemetry(app: AppSpec, numbers: OwnNumbers): void;
};

export type AppSurroundings = { host: SandboxHost; networks: AppNetworks; clock: Clock; observer: AppObserver };

/** Of an app without a grant: its loopback alone, where nothing can be refused. */
const noNetwork: AppNetwork = { namespacePath: undefined, news: async () => ({ denied: [] }), close: async () => {} };

const killTimeoutMs = 10_000;
/** V8 ends itself when its own heap limit is reached, just before the kernel would: to people it is the same cause. */
const heapExhausted = /FATAL ERROR: .*heap out of memory/;

export async function startApp(
  app: AppSpec,
  settingsPath: string,
  { host, networks, clock, observer }: AppSurroundings,
): Promise<AppProcess> {
  const { cgroups, facts } = host.open();
  mkdirSync(app.socketsDir, { recursive: true, mode: 0o711 });
  let sayReady = () => {};
  const saidReady = new Promise<void>((resolve) => {
    sayReady = resolve;
  });
  const gatewaySocket = await openGatewaySocket(app, settingsPath, clock, {
    onReady: () => sayReady(),
    onTelemetry: (numbers) => observer.onTelemetry(app, numbers),
  });
  let network = noNetwork;
  let cgroup: Cgroup;
  let launched: Launched;
  try {
    if (app.permissions.lan.length > 0) network = await networks.open(app);
    const limits = appProcessLimits(app.limits);
    cgroup = cgroups.make(app.target, limits);
    const profile = appProfile({ ...app, gatewaySocketDir: app.socketsDir, networkPath: network.namespacePath }, facts);
    launched = await launch({ profile, limits, uid: app.uid, cgroup, stdin: 'ignore' });
  } catch (cause) {
    await gatewaySocket.close();
    await network.close();
    throw cause;
  }

  const { child, initPid } = launched;
  const webSocketDir = openWebSocketDir(initPid);
  const webSocketPath = webSocketDir === undefined ? '' : `/proc/${process.pid}/fd/${webSocketDir}/${webSocketName}`;
  let hasExhaustedHeap = false;
  for (const stream of ['stdout', 'stderr'] as const) {
    captureOutput(child[stream] as NonNullable<typeof child.stdout>, stream, clock, (line) => {
      if (heapExhausted.test(line.text)) hasExhaustedHeap = true;
      observer.onOutput(app, line);
    });
  }

  const exited = new Promise<AppExit>((resolve, reject) => {
    const onExit = async (status: number | null, signal: NodeJS.Signals | null) => {
      const memory = cgroup.memory();
      const left = await cgroup.destroy(killTimeoutMs);
      await gatewaySocket.close();
      await network.close();
      if (webSocketDir !== undefined) closeSync(webSocketDir);
      rmSync(app.socketsDir, { recursive: true, force: true });
      if (left.length > 0) return reject(new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'will-not-die', at: app.software, pids: left }));
      const end = endOf(status, signal);
      const outOfMemory = memory.oomKills > 0 ? 'kill' : hasExhaustedHeap && end.signal === 'SIGABRT' ? 'heap' : false;
      resolve({ ...end, outOfMemory, memoryPeakBytes: memory.peakBytes });
    };
    if (child.exitCode !== null || child.signalCode !== null) void onExit(child.exitCode, child.signalCode);
    else child.once('exit', (status, signal) => void onExit(status, signal));
  });
  let isOver = false;
  const over = () => {
    isOver = true;
  };
  exited.then(over, over); // whoever waits for it gets the error; nobody waiting is not a crash of the agent

  return {
    pid: launched.pid ?? initPid,
    webSocketPath,
    exited,
    memoryPeakBytes: () => cgroup.memory().peakBytes,
    memoryPressure: () => (isOver ? undefined : cgroup.memory()),
    network: () => network.news(),
    dataUsedBytes: () => (app.data.kind === 'image' ? usedBytesAt(`/proc/${initPid}/root${dataDirInside}`) : undefined),
    growData: (dataBytes) => growRunning(app.data, child.pid as number, dataBytes),
    readiness: awaitReadiness(app.health, clock, { saidReady, exited, webSocketPath, pressure: () => cgroup.memory() }),
    stop: async (graceMs) => {
      if (launched.pid !== undefined) send(launched.pid, 'SIGTERM');
      const cancel = clock.after(graceMs, () => {
        send(initPid, 'SIGKILL'); // pid 1 of its namespace: the kernel ends everything inside with it
        child.kill('SIGKILL');
      });
      await exited;
      cancel();
    },
  };
}

/**
 * The app's socket stands on a tmpfs inside the sandbox. Held open from outside it stays the same folder, whatever the app does with its names,
 * and its path is short.
 */
function openWebSocketDir(initPid: number): number | undefined {
  try {
    return openSync(`/proc/${initPid}/root${webSocketDirInside}`, pathOnly | fsConstants.O_DIRECTORY | fsConstants.O_NOFOLLOW);
  } catch {
    return undefined; // it has ended already: `exited` tells
  }
}

/** @returns undefined when it has ended meanwhile */
function usedBytesAt(path: string): number | undefined {
  try {
    const { blocks, bfree, bsize } = statfsSync(path);
    return (blocks - bfree) * bsize;
  } catch {
    return undefined;
  }
}

/** bubblewrap ends with 128 + n when the program was ended by signal n. */
function endOf(status: number | null, signal: NodeJS.Signals | null): { status: number | null; signal: string | null } {
  const number = (status ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ? { status: null, signal: name } : { status, signal };
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Already gone.
  }
}

/** One emulated gateway: its network namespace, its data folder, the agent as root inside, and its pages forwarded to the host's loopback. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import type { ModelName } from '../../protocol/fields.ts';
import { forwardToUnixSocket } from './forward.ts';
import { attachHomeDevice, type HomeDevice, type HomeDeviceOptions } from './home-device.ts';
import { homeAddress, makeGatewayNamespace, namespacePath, removeNamespace } from './namespaces.ts';
import { programPath } from './programs.ts';

const pagePort = 8888;
const settingsPort = 8887;
/** The agent gives each app with a page an origin of its own, from this port on. */
const firstAppPort = 8889;
const appPorts = 8;

export type GatewayOptions = {
  gateway: string;
  model: ModelName;
  /** Made if missing; the agent's `--data` */
  dataDir: string;
  wanNamespace: string;
  line: number;
  /** Merged over the emulator's own agent configuration. */
  config?: Readonly<Record<string, unknown>>;
};

export type EmulatedGateway = {
  readonly gateway: string;
  readonly model: ModelName;
  readonly dataDir: string;
  readonly namespace: string;
  /** `http://127.0.0.1:<port>` of the host, where the gateway's page is seen. */
  readonly pageUrl: string;
  /** The same for its settings page. */
  readonly settingsUrl: string;
  readonly agentPid: number | undefined;
  enroll(invitationFile: string): Promise<void>;
  /** @param environment  added to ours: another clock, more certificates that Node believes by itself */
  start(environment?: Readonly<Record<string, string>>): void;
  /** Puts a device on the home network; it goes with the gateway. */
  addHomeDevice(device: HomeDeviceOptions): Promise<HomeDevice>;
  /** As a service manager would: SIGTERM, then wait. */
  stop(): Promise<void>;
  /** Ends everything at once and removes its network; also safe while the process is ending. */
  remove(): void;
};

export async function makeEmulatedGateway(options: GatewayOptions): Promise<EmulatedGateway> {
  const { gateway, model, dataDir } = options;
  const runDir = `${dataDir}.run`;
  mkdirSync(runDir, { recursive: true });
  const namespace = await makeGatewayNamespace(options.wanNamespace, gateway, options.line);
  const forwards = await forwardPorts(namespace, runDir);
  const configFile = path.join(runDir, 'agent.json');
  writeFileSync(configFile, JSON.stringify({ ...agentConfig(model, forwards.outerPorts), ...options.config }, null, 2));

  const inside = (...args: string[]): [string, string[]] => [
    'nsenter',
    // The agent ends with the emulator, even with one that was killed.
    [
      `--net=${namespacePath(namespace)}`,
      'setpriv',
      '--pdeathsig',
      'KILL',
      ...agentNode,
      programPath('agent'),
      ...args,
      '--data',
      dataDir,
      '--config',
      configFile,
    ],
  ];
  let agent: ChildProcess | undefined;
  const devices: HomeDevice[] = [];

  return {
    gateway,
    model,
    dataDir,
    namespace,
    pageUrl: `http://127.0.0.1:${forwards.outerPorts[pagePort]}`,
    settingsUrl: `http://127.0.0.1:${forwards.outerPorts[settingsPort]}`,
    get agentPid() {
      return agent?.pid;
    },
    async enroll(invitationFile) {
      const [command, args] = inside('enroll', '--invitation', invitationFile);
      await promisify(execFile)(command, args, { timeout: 60_000 });
    },
    start(environment = {}) {
      const [command, args] = inside('run');
      const output = openSync(path.join(runDir, 'agent.out'), 'a');
      const added = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
      agent = spawn('env', [...added, command, ...args], { stdio: ['ignore', output, output] });
      closeSync(output);
    },
    async addHomeDevice(device) {
      const attached = await attachHomeDevice(namespace, device);
      devices.push(attached);
      return attached;
    },
    async stop() {
      const running = agent;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once('close', resolve));
      running.kill('SIGTERM');
      await ended;
    },
    remove() {
      agent?.kill('SIGKILL');
      for (const device of devices.splice(0)) device.remove();
      forwards.close();
      removeNamespace(namespace);
    },
  };
}

/**
 * How a gateway starts node for the agent. Bounds of the heap; and an agent that waits for years gains nothing from optimised code, background
 * compilers and an allocation arena a thread, which are 5 MB of its memory (docs/PERFORMANCE.md).
 */
export const agentNode: readonly string[] = [
  'env',
  'MALLOC_ARENA_MAX=1',
  process.execPath,
  '--max-semi-space-size=1',
  '--max-old-space-size=64',
  '--optimize-for-size',
  '--no-opt',
  '--v8-pool-size=1',
];

function agentConfig(model: ModelName, outerPorts: Readonly<Record<number, number>>): object {
  return {
    model,
    firmware: '01.00.0000',
    page: { listen: [`127.0.0.1:${pagePort}`, `${homeAddress}:${pagePort}`], settingsPort, outerPorts },
  };
}

type Forwards = { outerPorts: Record<number, number>; close(): void };

/** The ports of the page, of the settings and of each app's origin, from a free port of the host over a unix socket into the namespace. */
async function forwardPorts(namespace: string, runDir: string): Promise<Forwards> {
  const inner = [pagePort, settingsPort, ...Array.from({ length: appPorts }, (_, index) => firstAppPort + index)];
  const socketOf = (port: number): string => path.join(runDir, `${port}.sock`);
  const child = spawn(
    'nsenter',
    [
      `--net=${namespacePath(namespace)}`,
      process.execPath,
      programPath('inside'),
      'connect',
      ...inner.map((port) => `${socketOf(port)}=${port}`),
    ],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`the forwarder inside ${namespace} ended (status ${status})`)));
  });
  const outer = await Promise.all(inner.map(async (port) => ({ port, forward: await forwardToUnixSocket(socketOf(port)) })));
  return {
    outerPorts: Object.fromEntries(outer.map(({ port, forward }) => [port, forward.port])),
    close() {
      for (const { forward } of outer) forward.close();
      child.kill('SIGKILL');
    },
  };
}

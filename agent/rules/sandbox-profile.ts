/**
 * What one sandbox holds: its files, its environment, its command. Plain data that any backend can render (bubblewrap arguments today, an OCI config next),
 * so this page, not a launcher, answers "what can delivered software see?".
 */

import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { RunLimits } from '../../protocol/statements/notice.ts';

/** Order matters: a later mount may lie inside an earlier one. The root itself and /dev become read-only after the last. */
export type Mount =
  | { readonly kind: 'bind'; readonly from: string; readonly to: string; readonly isWritable: boolean }
  /** A file system image of an app's own: mounted without programs, devices and setuid files, in the namespace of this sandbox alone. */
  | { readonly kind: 'image'; readonly from: string; readonly to: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }
  | { readonly kind: 'tmpfs'; readonly to: string; readonly bytes: number; readonly mode: string }
  | { readonly kind: 'proc'; readonly to: string }
  | { readonly kind: 'dev'; readonly to: string };

export type SandboxProfile = {
  readonly hostname: string;
  readonly mounts: readonly Mount[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  readonly command: readonly string[];
  /** 'none': an empty network namespace of its own. Otherwise the path of a prepared one. */
  readonly network: 'none' | { readonly namespacePath: string };
};

/** Enforced by the kernel, outside the sandbox: cgroup and rlimits. */
export type ProcessLimits = {
  readonly memoryBytes: number;
  readonly cpuPercent: number;
  readonly pids: number;
  readonly files: number;
  readonly fileBytes: number;
};

/** What the host gives to every sandbox. */
export type HostFacts = {
  readonly nodeBinary: string;
  /** Each at the path where node's loader looks for it, the loader itself included. */
  readonly nodeLibraries: readonly string[];
  /** Generated: see rules/sandbox-etc.ts */
  readonly etcDir: string;
};

export type AppFacts = {
  readonly appDir: string;
  readonly data: { readonly kind: 'image' | 'folder'; readonly path: string };
  /** Holds `gateway.sock`; the app may connect to it, not change it. */
  readonly gatewaySocketDir: string;
  readonly entry: Manifest['entry'];
  readonly limits: RunLimits;
  /** Of a prepared network namespace; undefined: none but its own loopback. */
  readonly networkPath?: string | undefined;
};

export const insideUid = 1000;
export const gatewaySocketInside = '/run/tsugite/gateway/gateway.sock';
export const dataDirInside = '/data';
export const webSocketDirInside = '/run/tsugite/web';
export const webSocketName = 'web.sock';

const mebibyte = 1024 * 1024;
const temporaryBytes = 8 * mebibyte;
const sharedMemoryBytes = 4 * mebibyte;
const webSocketDirBytes = 64 * 1024;
/** bubblewrap's monitor and its pid 1 stand in the app's cgroup too, and must not eat what was granted. */
const launcherProcesses = 2;

export function appProfile(app: AppFacts, host: HostFacts): SandboxProfile {
  return {
    hostname: 'app',
    mounts: [
      ...(app.entry.runtime === 'node' ? nodeRoot(host) : systemRoot()),
      ...commonMounts(host),
      bind(app.appDir, '/app'),
      app.data.kind === 'image' ? { kind: 'image', from: app.data.path, to: dataDirInside } : bind(app.data.path, dataDirInside, true),
      bind(app.gatewaySocketDir, '/run/tsugite/gateway'),
      // A sized tmpfs, not a folder of the host: an app that fills it fills its own memory limit, not the gateway's flash.
      { kind: 'tmpfs', to: webSocketDirInside, bytes: webSocketDirBytes, mode: '0700' },
    ],
    environment: {
      PATH: '/usr/bin:/bin',
      HOME: '/data',
      TSUGITE_GATEWAY_SOCKET: gatewaySocketInside,
      TSUGITE_WEB_SOCKET: `${webSocketDirInside}/${webSocketName}`,
    },
    workingDirectory: '/data',
    command: appCommand(app),
    network: app.networkPath === undefined ? 'none' : { namespacePath: app.networkPath },
  };
}

export function appProcessLimits(limits: RunLimits): ProcessLimits {
  return {
    memoryBytes: limits.memoryBytes,
    cpuPercent: limits.cpuPercent,
    pids: limits.pids + launcherProcesses,
    files: limits.files,
    fileBytes: Math.max(limits.dataBytes, temporaryBytes),
  };
}

/** The installer sees node, its own program and one staging folder: no data, no socket, no package but the descriptor that it is given. */
export function installerProfile(
  installer: { programDir: string; programFile: string; stagingDir: string },
  host: HostFacts,
): SandboxProfile {
  return {
    hostname: 'installer',
    mounts: [...nodeRoot(host), ...commonMounts(host), bind(installer.programDir, '/app'), bind(installer.stagingDir, '/staging', true)],
    environment: { PATH: '/usr/bin', HOME: '/tmp' },
    workingDirectory: '/staging',
    command: ['/usr/bin/node', '--max-semi-space-size=1', '--max-old-space-size=64', `/app/${installer.programFile}`],
    network: 'none',
  };
}

export const installerProcessLimits: ProcessLimits = {
  memoryBytes: 128 * mebibyte,
  cpuPercent: 200, // decompression has a thread of its own: at one core the two throttle each other
  pids: 24,
  files: 64,
  fileBytes: 32 * mebibyte,
};

/** Only node and what its loader needs: no shell, no setuid file, no interpreter that the provider did not deliver. */
function nodeRoot(host: HostFacts): Mount[] {
  return [bind(host.nodeBinary, '/usr/bin/node'), ...host.nodeLibraries.map((path) => bind(path, path))];
}

/** For delivered binaries, which are linked against the gateway's own C library. */
function systemRoot(): Mount[] {
  return [
    bind('/usr', '/usr'),
    ...['bin', 'sbin', 'lib', 'lib64'].map((name): Mount => ({ kind: 'symlink', target: `usr/${name}`, to: `/${name}` })),
  ];
}

function commonMounts(host: HostFacts): Mount[] {
  return [
    bind(host.etcDir, '/etc'),
    { kind: 'proc', to: '/proc' },
    { kind: 'dev', to: '/dev' },
    { kind: 'tmpfs', to: '/tmp', bytes: temporaryBytes, mode: '1777' },
    { kind: 'tmpfs', to: '/dev/shm', bytes: sharedMemoryBytes, mode: '1777' },
  ];
}

function bind(from: string, to: string, isWritable = false): Mount {
  return { kind: 'bind', from, to, isWritable };
}

function appCommand({ entry, limits }: AppFacts): string[] {
  const [program, ...rest] = entry.args;
  if (entry.runtime === 'exec') return [`/app/${program}`, ...rest];
  return ['/usr/bin/node', `--max-old-space-size=${heapMebibytes(limits.memoryBytes)}`, `/app/${program}`, ...rest];
}

/** V8 sizes its heap by the machine's memory, which it cannot see to be limited: unasked it would be killed before its first full collection. */
function heapMebibytes(memoryBytes: number): number {
  return Math.max(8, Math.floor((memoryBytes * 0.75) / mebibyte));
}

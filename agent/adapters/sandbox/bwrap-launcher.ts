/**
 * Starts one process in a sandbox by bubblewrap. The order is the point: limits stand before the process, the process joins them before its exec,
 * and whatever goes wrong on the way ends in a killed process, never in one that runs without them.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { TsugiteError } from '../../../protocol/errors.ts';
import { bwrapArguments } from '../../rules/bwrap-arguments.ts';
import { doorwayOperands, doorwayScript, planDoorway, throughDoor } from '../../rules/doorway.ts';
import type { ProcessLimits, SandboxProfile } from '../../rules/sandbox-profile.ts';
import { type Architecture, seccompProgram } from '../../rules/seccomp.ts';
import type { Cgroup } from './cgroup.ts';
import { closeInheritedDescriptors } from './descriptors.ts';
import { closedFolder } from './reachability.ts';

export type Launch = {
  profile: SandboxProfile;
  limits: ProcessLimits;
  /** Host uid and gid of the process; never 0. */
  uid: number;
  cgroup: Cgroup;
  /** Standard input: nothing, or a pipe for one request. */
  stdin: 'ignore' | 'pipe';
  /** Open files that the process finds as descriptors 3, 4, … */
  passOn?: readonly number[];
};
export type Launched = {
  /** bubblewrap's monitor on the host, our child. */
  readonly child: ChildProcess;
  /** pid 1 of the sandbox, as the host sees it; killing it ends everything inside. */
  readonly initPid: number;
  /** The program itself, as the host sees it; undefined when it ended before it could be looked at. */
  readonly pid: number | undefined;
};

const tools = {
  bwrap: '/usr/bin/bwrap',
  nsenter: '/usr/bin/nsenter',
  prlimit: '/usr/bin/prlimit',
  setpriv: '/usr/bin/setpriv',
  unshare: '/usr/bin/unshare',
  sh: '/bin/sh',
};
const startTimeoutMs = 10_000;

export function missingTools(): string[] {
  return Object.values(tools).filter((path) => !existsSync(path));
}

/** @throws TsugiteError SANDBOX_UNAVAILABLE with bubblewrap's own words; nothing is left running */
export async function launch(request: Launch): Promise<Launched> {
  closeInheritedDescriptors();
  const passOn = request.passOn ?? [];
  const firstOwn = 3 + passOn.length;
  const [args, seccomp, info, block] = [firstOwn, firstOwn + 1, firstOwn + 2, firstOwn + 3];
  const { command, asRoot, reach } = commandLine(request, args);
  const child = spawn(command[0] as string, command.slice(1), {
    ...(asRoot ? {} : { uid: request.uid, gid: request.uid }),
    env: {}, // bubblewrap's own environment shows in the sandbox as /proc/1/environ
    cwd: '/',
    stdio: [request.stdin, 'pipe', 'pipe', ...passOn, 'pipe', 'pipe', 'pipe', 'pipe'],
  });
  try {
    const pipe = (descriptor: number) => child.stdio[descriptor] as Duplex;
    for (const descriptor of [args, seccomp, block]) pipe(descriptor).on('error', () => {}); // its death is told by the missing info
    pipe(args).end(`${bwrapArguments(request.profile, { seccomp, info, block }, reach).join('\0')}\0`);
    pipe(seccomp).end(seccompProgram(process.arch as Architecture));
    const initPid = await readInitPid(child, pipe(info));
    request.cgroup.join(child.pid as number);
    request.cgroup.join(initPid);
    // Never before both have joined: also closing this pipe would let the program go.
    pipe(block).end('x');
    return { child, initPid, pid: await findProgram(initPid, child) };
  } catch (cause) {
    child.kill('SIGKILL');
    await request.cgroup.destroy(startTimeoutMs);
    throw cause;
  }
}

function commandLine(
  { profile, limits, uid }: Launch,
  argsDescriptor: number,
): { command: string[]; asRoot: boolean; reach: (path: string) => string } {
  const rlimits = [`--nofile=${limits.files}:${limits.files}`, `--fsize=${limits.fileBytes}:${limits.fileBytes}`, '--core=0:0'];
  const sandboxed = [tools.prlimit, ...rlimits, tools.bwrap, '--args', String(argsDescriptor), '--', ...profile.command];
  const sources = profile.mounts.flatMap((mount) => (mount.kind === 'bind' ? [mount.from] : []));
  const closed = sources.filter((path) => closedFolder(path, uid) !== undefined);
  const images = profile.mounts.flatMap((mount) => (mount.kind === 'image' ? [mount.from] : []));
  const { network } = profile;
  const enter = network === 'none' ? [] : [tools.nsenter, `--net=${network.namespacePath}`, '--'];
  const dropUid = [tools.setpriv, `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
  if (closed.length === 0 && images.length === 0) {
    const stays = (path: string) => path;
    if (network === 'none') return { command: sandboxed, asRoot: false, reach: stays };
    return { command: [...enter, ...dropUid, ...sandboxed], asRoot: true, reach: stays };
  }
  const doorway = planDoorway({ closed, images }, sources);
  const [first] = [...closed, ...images];
  if (!doorway) throw new TsugiteError('PATH_UNREACHABLE', { path: first, uid, folder: closedFolder(first as string, uid) });
  const door = [
    tools.unshare,
    '--mount',
    '--propagation',
    'slave', // what the gateway unmounts is unmounted there too, and nothing comes back from there
    '--',
    tools.sh,
    '-c',
    doorwayScript,
    'sh',
    ...doorwayOperands(doorway),
  ];
  return { command: [...enter, ...door, ...dropUid, ...sandboxed], asRoot: true, reach: (path) => throughDoor(doorway, path) };
}

/** bubblewrap says `{"child-pid": N, …}` once the sandbox stands and waits; when it cannot, it says why on standard error and ends. */
async function readInitPid(child: ChildProcess, info: Readable): Promise<number> {
  const complaint: Buffer[] = [];
  const listen = (chunk: Buffer) => complaint.push(chunk);
  child.stderr?.on('data', listen);
  const timer = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  try {
    const spawned = new Promise<never>((_, reject) => child.once('error', reject));
    const text = await Promise.race([readAll(info), spawned]);
    const initPid: unknown = text === '' ? undefined : JSON.parse(text)['child-pid'];
    if (typeof initPid === 'number') return initPid;
    await new Promise((resolve) =>
      child.exitCode === null && child.signalCode === null ? child.once('close', resolve) : resolve(undefined),
    );
    throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'launcher', said: Buffer.concat(complaint).toString('utf8').slice(0, 500) });
  } finally {
    clearTimeout(timer);
    child.stderr?.off('data', listen);
    child.stderr?.pause();
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The program is the one child of the sandbox's pid 1. */
async function findProgram(initPid: number, child: ChildProcess): Promise<number | undefined> {
  for (let waitedMs = 0; waitedMs < startTimeoutMs && child.exitCode === null && child.signalCode === null; waitedMs += 1) {
    const pid = childOf(initPid);
    if (pid !== undefined) return pid;
    await delay(1);
  }
  return undefined;
}

export function childOf(pid: number): number | undefined {
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

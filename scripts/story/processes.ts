/** Looks at processes from outside, through /proc. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type ProcessFacts = {
  pid: number;
  command: string;
  uid: number;
  /** Effective capabilities, hex */
  capabilities: string;
  noNewPrivileges: boolean;
  /** 2 = a filter is active */
  seccomp: number;
  namespaces: Record<string, string>;
  /** Mount point → options, of the mounts that the process sees */
  mounts: Record<string, string>;
  cgroups: string[];
  networkInterfaces: string[];
};

export function processesWhere(test: (pid: number, command: string) => boolean): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => test(pid, commandOf(pid)));
}

/** Empty when the process is gone. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

export function factsOf(pid: number): ProcessFacts {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
  return {
    pid,
    command: commandOf(pid),
    uid: Number(field('Uid')),
    capabilities: field('CapEff'),
    noNewPrivileges: field('NoNewPrivs') === '1',
    seccomp: Number(field('Seccomp')),
    namespaces: namespacesOf(pid),
    mounts: Object.fromEntries(
      readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.split(' '))
        .map((part) => [part[4] ?? '', part[5] ?? '']),
    ),
    cgroups: readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim().split('\n'),
    networkInterfaces: readFileSync(`/proc/${pid}/net/dev`, 'utf8')
      .split('\n')
      .slice(2)
      .map((line) => line.split(':')[0]?.trim() ?? '')
      .filter((name) => name !== ''),
  };
}

export function namespacesOf(pid: number): Record<string, string> {
  return Object.fromEntries(
    ['mnt', 'pid', 'net', 'ipc', 'uts', 'user', 'cgroup'].map((kind) => [kind, readlinkSync(`/proc/${pid}/ns/${kind}`)]),
  );
}

/** True when `ancestor` started the process, directly or not. */
export function isBelow(pid: number, ancestor: number): boolean {
  for (let at = pid; at > 1; at = parentOf(at)) {
    if (at === ancestor) return true;
  }
  return false;
}

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

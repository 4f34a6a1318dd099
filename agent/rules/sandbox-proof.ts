/** Judges what a probe saw inside the real profile: a launcher that is there is no proof that it isolates. */

import { insideUid } from './sandbox-profile.ts';

/** Written by the probe itself. */
export type InsideFacts = {
  readonly uid: number;
  /** CapInh, CapPrm, CapEff, CapBnd and CapAmb of /proc/self/status, in this order */
  readonly capabilities: readonly string[];
  readonly seccomp: number;
  readonly noNewPrivileges: number;
  /** `net:[4026531840]` and so on */
  readonly namespaces: readonly string[];
  readonly writableMounts: readonly string[];
  readonly interfaces: readonly string[];
  readonly pids: readonly number[];
  readonly environment: readonly string[];
  /** What its descriptors above 2 lead to, less those that node opens for itself */
  readonly descriptors: readonly string[];
};
/** Read by the agent about the probe. */
export type OutsideFacts = {
  readonly expectedUid: number;
  readonly uid: number;
  /** Of the agent. */
  readonly namespaces: readonly string[];
  readonly isInCgroup: boolean;
};
export type ProofFault = { readonly what: string; readonly expected: string; readonly found: string };

const isolated = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const mayWrite = ['/data', '/tmp', '/dev/shm', '/run/tsugite/web', '/proc'];
const mayKnow = ['PATH', 'HOME', 'PWD', 'TSUGITE_GATEWAY_SOCKET', 'TSUGITE_WEB_SOCKET'];
/** Of devtmpfs and devpts: single device nodes, no place for files. */
const isDeviceNode = (mount: string) => /^\/dev\/(null|zero|full|random|urandom|tty|pts|console)$/.test(mount);

export function judgeProof(inside: InsideFacts, outside: OutsideFacts): ProofFault[] {
  const shared = inside.namespaces.filter((name) => outside.namespaces.includes(name));
  const missing = isolated.filter((kind) => !inside.namespaces.some((name) => name.startsWith(`${kind}:`)));
  const writable = inside.writableMounts.filter((mount) => !mayWrite.includes(mount) && !isDeviceNode(mount));
  const environment = inside.environment.filter((name) => !mayKnow.includes(name));
  const checks: [what: string, isGood: boolean, expected: string, found: unknown][] = [
    ['uid inside', inside.uid === insideUid, String(insideUid), inside.uid],
    ['uid outside', outside.uid === outside.expectedUid, String(outside.expectedUid), outside.uid],
    ['capabilities', inside.capabilities.length === 5 && inside.capabilities.every((set) => /^0+$/.test(set)), 'none', inside.capabilities],
    ['seccomp', inside.seccomp === 2, '2 (filter)', inside.seccomp],
    ['no new privileges', inside.noNewPrivileges === 1, '1', inside.noNewPrivileges],
    ['namespaces', shared.length === 0 && missing.length === 0, 'none shared', [...shared, ...missing]],
    ['writable mounts', writable.length === 0, 'none but its own', writable],
    ['network', inside.interfaces.every((name) => name === 'lo'), 'lo', inside.interfaces],
    ['processes', inside.pids.length <= 2, 'pid 1 and itself', inside.pids.length],
    ['environment', environment.length === 0, 'none but ours', environment],
    ['descriptors', inside.descriptors.length === 0, 'none inherited', inside.descriptors],
    ['control group', outside.isInCgroup, 'joined before exec', outside.isInCgroup ? 'joined' : 'outside'],
  ];
  return checks.flatMap(([what, isGood, expected, found]) => (isGood ? [] : [{ what, expected, found: String(found) }]));
}

/** What the probe runs, inside: prints its facts as one line, then waits to be looked at from outside until its input ends. */
export const probeScript = `
const fs = require('node:fs');
const status = fs.readFileSync('/proc/self/status', 'utf8');
const field = (name) => new RegExp('^' + name + ':\\\\s+(\\\\S+)', 'm').exec(status)?.[1] ?? '';
const target = (path) => { try { return fs.readlinkSync(path); } catch { return ''; } };
const mounts = fs.readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\\n').map((line) => line.split(' '));
const own = /^(pipe|anon_inode|socket):|^\\/proc\\/|^$/;
const facts = {
  uid: process.getuid(),
  capabilities: ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map(field),
  seccomp: Number(field('Seccomp')),
  noNewPrivileges: Number(field('NoNewPrivs')),
  namespaces: ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'].map((name) => target('/proc/self/ns/' + name)),
  writableMounts: mounts.filter((fields) => fields[5].split(',').includes('rw')).map((fields) => fields[4]),
  interfaces: fs.readFileSync('/proc/net/dev', 'utf8').trim().split('\\n').slice(2).map((line) => line.split(':')[0].trim()),
  pids: fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number),
  environment: Object.keys(process.env),
  descriptors: fs.readdirSync('/proc/self/fd').filter((fd) => fd > 2).map((fd) => target('/proc/self/fd/' + fd)).filter((path) => !own.test(path)),
};
process.stdin.on('end', () => process.exit()).resume();
console.log(JSON.stringify(facts));
`;

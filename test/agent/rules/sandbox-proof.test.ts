import { expect, test } from 'vitest';
import { type InsideFacts, judgeProof, type OutsideFacts } from '../../../agent/rules/sandbox-proof.ts';

const kinds = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const zeros = '0000000000000000';
const good: InsideFacts = {
  uid: 1000,
  capabilities: [zeros, zeros, zeros, zeros, zeros],
  seccomp: 2,
  noNewPrivileges: 1,
  namespaces: kinds.map((kind, index) => `${kind}:[${100 + index}]`),
  writableMounts: ['/proc', '/dev/null', '/dev/pts', '/tmp', '/dev/shm', '/data', '/run/tsugite/web'],
  interfaces: ['lo'],
  pids: [1, 2],
  environment: ['PATH', 'HOME', 'PWD'],
  descriptors: [],
};
const outside: OutsideFacts = {
  expectedUid: 20_000,
  uid: 20_000,
  namespaces: kinds.map((kind, index) => `${kind}:[${900 + index}]`),
  isInCgroup: true,
};

test('a profile that isolates has no fault', () => {
  expect(judgeProof(good, outside)).toEqual([]);
});

test.each<[string, Partial<InsideFacts>, Partial<OutsideFacts>]>([
  ['uid inside', { uid: 0 }, {}],
  ['uid outside', {}, { uid: 0 }], // bubblewrap as root with --uid alone: 1000 inside, root outside
  ['capabilities', { capabilities: [zeros, zeros, zeros, '000001ffffffffff', zeros] }, {}],
  ['capabilities', { capabilities: [] }, {}],
  ['seccomp', { seccomp: 0 }, {}],
  ['no new privileges', { noNewPrivileges: 0 }, {}],
  ['namespaces', { namespaces: [...good.namespaces.slice(0, 6), 'uts:[906]'] }, {}],
  ['namespaces', { namespaces: good.namespaces.slice(1) }, {}],
  ['writable mounts', { writableMounts: ['/'] }, {}],
  ['writable mounts', { writableMounts: ['/dev'] }, {}],
  ['network', { interfaces: ['lo', 'eth0'] }, {}],
  ['processes', { pids: [1, 2, 4711] }, {}],
  ['environment', { environment: ['PATH', 'TOKEN'] }, {}],
  ['descriptors', { descriptors: ['/root/secret'] }, {}],
  ['control group', {}, { isInCgroup: false }],
])('a fault is named: %s', (what, inside, out) => {
  expect(judgeProof({ ...good, ...inside }, { ...outside, ...out }).map((fault) => fault.what)).toEqual([what]);
});

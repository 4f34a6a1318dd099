import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Architecture, seccompProgram } from '../../../agent/rules/seccomp.ts';
import { allowedSyscalls, argumentRules } from '../../../agent/rules/seccomp-policy.ts';
import syscalls from '../../../agent/rules/syscalls.json' with { type: 'json' };
import { runBpf } from '../../support/bpf.ts';

const allow = 0x7fff0000;
const kill = 0x80000000;
const errno = (number: number) => 0x00050000 | number;
const arch = { x64: 0xc000003e, arm64: 0xc00000b7 };

function call(architecture: Architecture, name: string, args: readonly number[] = []): number {
  const nr = (syscalls[architecture].numbers as Record<string, number>)[name];
  if (nr === undefined) throw new Error(`${architecture} has no ${name}`);
  return runBpf(seccompProgram(architecture), { arch: arch[architecture], nr, args });
}

describe.each(['x64', 'arm64'] as const)('the seccomp program for %s', (architecture) => {
  test('allows exactly the numbers of the policy, refuses the other known ones with EPERM and unknown newer ones with ENOSYS', () => {
    const numbers: Record<string, number> = syscalls[architecture].numbers;
    const allowed = new Set(allowedSyscalls.map((name) => numbers[name]));
    const byArgument = new Set(Object.keys(argumentRules).map((name) => numbers[name]));
    const program = seccompProgram(architecture);
    for (let nr = 0; nr <= syscalls[architecture].newestKnown; nr++) {
      if (byArgument.has(nr)) continue;
      expect([nr, runBpf(program, { arch: arch[architecture], nr })]).toEqual([nr, allowed.has(nr) ? allow : errno(1)]);
    }
    expect(runBpf(program, { arch: arch[architecture], nr: syscalls[architecture].newestKnown + 1 })).toBe(errno(38));
  });

  test('kills a call of a foreign architecture', () => {
    const foreign = architecture === 'x64' ? 0x40000003 : arch.x64; // i386 on x86_64
    expect(runBpf(seccompProgram(architecture), { arch: foreign, nr: 0 })).toBe(kill);
  });

  test('lets threads and processes start, but no new namespace', () => {
    expect(call(architecture, 'clone', [0x3d0f00])).toBe(allow); // what glibc passes for a thread
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffffffff }), (flags) => {
        expect(call(architecture, 'clone', [flags])).toBe((flags & 0x7e020000) === 0 ? allow : errno(1));
      }),
    );
  });

  test('answers clone3 with ENOSYS, so that the C library falls back to clone', () => {
    expect(call(architecture, 'clone3')).toBe(errno(38));
  });

  test.each([
    ['unix stream', [1, 1, 0], allow],
    ['TCP, non-blocking, close-on-exec', [2, 1 | 0o4000 | 0o2000000, 0], allow],
    ['UDP over IPv6', [10, 2, 17], allow],
    ['raw', [2, 3, 1], errno(1)],
    ['raw, non-blocking', [10, 3 | 0o4000, 58], errno(1)],
    ['the obsolete packet type', [2, 10, 0], errno(1)],
    ['route netlink, which getifaddrs needs', [16, 3, 0], allow],
    ['netfilter netlink', [16, 3, 12], errno(1)],
    ['packet', [17, 3, 0], errno(97)],
    ['vsock', [40, 1, 0], errno(97)],
    ['kernel crypto', [38, 5, 0], errno(97)],
    ['bluetooth', [31, 3, 0], errno(97)],
    ['unix with high bits that the kernel ignores', [0x1_0000_0001, 1, 0], allow],
    ['vsock behind high bits', [0x1_0000_0028, 1, 0], errno(97)],
  ])('a socket: %s', (_, args, answer) => {
    expect(call(architecture, 'socket', args)).toBe(answer);
  });

  test('no key press can be pushed into a terminal, also not behind high bits', () => {
    expect(call(architecture, 'ioctl', [0, 0x5412])).toBe(errno(1));
    expect(call(architecture, 'ioctl', [0, 0x7_0000_5412])).toBe(errno(1));
    expect(call(architecture, 'ioctl', [0, 0x541c])).toBe(errno(1));
    expect(call(architecture, 'ioctl', [0, 0x5401])).toBe(allow);
  });

  test('stays far below the 4,096 instructions that the kernel takes', () => {
    expect(seccompProgram(architecture).length / 8).toBeLessThan(300);
  });
});

test('an x32 call is killed, although its architecture word is that of x86_64', () => {
  expect(runBpf(seccompProgram('x64'), { arch: arch.x64, nr: 0x40000000 })).toBe(kill);
});

test('each argument rule ends with a row that has no condition', () => {
  for (const rows of Object.values(argumentRules)) expect(rows.at(-1)?.where).toEqual([]);
});

/**
 * Writes agent/rules/syscalls.json: the numbers of the calls that the seccomp policy names, on both architectures, from Debian's linux-libc-dev.
 * Run it again after a change of the policy's names, on an x86_64 Debian, in the repository's folder:
 * `npx esbuild scripts/make-syscalls.ts --bundle --platform=node --format=esm | node --input-type=module`
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { allowedSyscalls, argumentRules } from '../agent/rules/seccomp-policy.ts';

const x64Header = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
const genericHeader = '/usr/include/asm-generic/unistd.h'; // arm64 uses the generic table, with the macros below
const arm64Macros = new Set([
  '__ARCH_WANT_RENAMEAT',
  '__ARCH_WANT_NEW_STAT',
  '__ARCH_WANT_SET_GET_RLIMIT',
  '__ARCH_WANT_SYS_CLONE3',
  '__ARCH_WANT_MEMFD_SECRET',
]);

const wanted = new Set([...allowedSyscalls, ...Object.keys(argumentRules)]);
const tables = { x64: numbersOf(x64Header, new Set()), arm64: numbersOf(genericHeader, arm64Macros) };
for (const name of wanted) {
  if (!tables.x64.has(name) && !tables.arm64.has(name)) throw new Error(`no header knows the system call ${name}`);
}
const output = Object.fromEntries(
  Object.entries(tables).map(([architecture, table]) => [
    architecture,
    {
      newestKnown: Math.max(...table.values()),
      numbers: Object.fromEntries([...table].filter(([name]) => wanted.has(name)).sort(([, a], [, b]) => a - b)),
    },
  ]),
);
writeFileSync('agent/rules/syscalls.json', `${JSON.stringify(output, null, 2)}\n`);

/** Reads `#define __NR_name number`, following the header's own conditions for a 64-bit architecture. */
function numbersOf(path: string, macros: Set<string>): Map<string, number> {
  const defined = new Map<string, string>();
  const isLive: boolean[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const condition = /^#(if|ifdef|ifndef|else|endif)\b(.*)/.exec(line);
    if (condition) {
      const [, word, rest = ''] = condition;
      if (word === 'endif') isLive.pop();
      else if (word === 'else') isLive.push(!isLive.pop());
      else isLive.push(holds(word ?? '', rest.trim(), (name) => macros.has(name) || defined.has(name)));
      continue;
    }
    const define = /^#define (__NR\w*)\s+(\w+)/.exec(line);
    if (define?.[1] && define[2] && isLive.every(Boolean)) defined.set(define[1], define[2]);
  }
  const numbers = new Map<string, number>();
  for (const [name, value] of defined) {
    const number = Number(defined.get(value) ?? value);
    if (name.startsWith('__NR_') && name !== '__NR_syscalls' && Number.isInteger(number)) numbers.set(name.slice('__NR_'.length), number);
  }
  return numbers;
}

function holds(word: string, text: string, isDefined: (name: string) => boolean): boolean {
  if (word === 'ifdef') return isDefined(text);
  if (word === 'ifndef') return !isDefined(text);
  return text.split('||').some((side) =>
    side.split('&&').every((part) => {
      const term = part.trim();
      const name = /^(!?)defined\((\w+)\)$/.exec(term);
      if (name?.[2]) return isDefined(name[2]) !== (name[1] === '!');
      if (term === '__BITS_PER_LONG == 64' || term === '__BITS_PER_LONG != 32') return true;
      if (term === '__BITS_PER_LONG == 32') return false;
      throw new Error(`a condition that this script does not know: ${term}`);
    }),
  );
}

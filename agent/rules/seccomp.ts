/** Compiles the policy into the classic BPF program that bubblewrap loads (seccomp(2), `struct sock_filter`). */

import { type ArgumentRow, type ArgumentTest, allowedSyscalls, argumentRules, enosys, eperm, type Verdict } from './seccomp-policy.ts';
import syscalls from './syscalls.json' with { type: 'json' };

export type Architecture = keyof typeof syscalls;

type Instruction = { code: number; jt: number; jf: number; k: number };

const loadWord = 0x20;
const jumpEqual = 0x15;
const jumpAtLeast = 0x35;
const and = 0x54;
const give = 0x06;

const numberOffset = 0;
const architectureOffset = 4;
const argumentOffset = (index: number) => 16 + 8 * index; // the low word, both architectures being little-endian

const killProcess = 0x80000000;
const errnoBase = 0x00050000;
const allow = 0x7fff0000;

const auditArchitecture = { x64: 0xc000003e, arm64: 0xc00000b7 } as const satisfies Record<Architecture, number>;
const x32Bit = 0x40000000;

export function seccompProgram(architecture: Architecture): Buffer {
  const numbers: Readonly<Record<string, number>> = syscalls[architecture].numbers;
  const program = [...head(architecture), step(loadWord, numberOffset)];
  for (const [name, rows] of Object.entries(argumentRules)) program.push(...argumentBlock(numberOf(numbers, name), rows));
  program.push(...segments(allowedNumbers(numbers), syscalls[architecture].newestKnown));
  return encode(program);
}

function head(architecture: Architecture): Instruction[] {
  const instructions = [
    step(loadWord, architectureOffset),
    jump(jumpEqual, auditArchitecture[architecture], 1, 0),
    step(give, killProcess),
  ];
  if (architecture !== 'x64') return instructions;
  // The x32 interface has the same architecture word and other numbers: a deny list by number would not see it.
  return [...instructions, step(loadWord, numberOffset), jump(jumpAtLeast, x32Bit, 0, 1), step(give, killProcess)];
}

/** `number?` no: skip the block, with the number still loaded. yes: the rows decide, so nothing falls out of the block's end. */
function argumentBlock(number: number, rows: readonly ArgumentRow[]): Instruction[] {
  const body = rows.flatMap(rowBlock);
  return [jump(jumpEqual, number, 0, body.length), ...body];
}

function rowBlock(row: ArgumentRow): Instruction[] {
  let block = [step(give, verdictWord(row.answer))];
  for (const test of [...row.where].reverse()) block = [...testBlock(test, block.length), ...block];
  return block;
}

function testBlock({ arg, mask, is }: ArgumentTest, skipOnMiss: number): Instruction[] {
  const load = [step(loadWord, argumentOffset(arg)), ...(mask === undefined ? [] : [step(and, mask)])];
  const compares = is.map((value, index) => {
    const left = is.length - 1 - index;
    return jump(jumpEqual, value, left, left === 0 ? skipOnMiss : 0);
  });
  return [...load, ...compares];
}

/** Neighbouring numbers with the same answer are one segment: two instructions each, and the kernel caches the calls that are always allowed. */
function segments(allowed: ReadonlySet<number>, newestKnown: number): Instruction[] {
  const instructions: Instruction[] = [];
  for (let number = 0; number <= newestKnown; number++) {
    const isLastOfSegment = number === newestKnown || allowed.has(number) !== allowed.has(number + 1);
    if (!isLastOfSegment) continue;
    instructions.push(jump(jumpAtLeast, number + 1, 1, 0), step(give, verdictWord(allowed.has(number) ? 'allow' : { errno: eperm })));
  }
  return [...instructions, step(give, verdictWord({ errno: enosys }))];
}

function allowedNumbers(numbers: Readonly<Record<string, number>>): Set<number> {
  return new Set(allowedSyscalls.flatMap((name) => numbers[name] ?? [])); // arm64 lacks the older calls, such as open
}

function numberOf(numbers: Readonly<Record<string, number>>, name: string): number {
  const number = numbers[name];
  if (number === undefined) throw new Error(`syscalls.json lacks ${name}: run scripts/make-syscalls.ts`);
  return number;
}

function verdictWord(verdict: Verdict): number {
  return verdict === 'allow' ? allow : errnoBase | verdict.errno;
}

function step(code: number, k: number): Instruction {
  return { code, jt: 0, jf: 0, k };
}

function jump(code: number, k: number, jt: number, jf: number): Instruction {
  if (jt > 255 || jf > 255) throw new Error('a seccomp jump is longer than a byte can say');
  return { code, jt, jf, k };
}

function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  program.forEach(({ code, jt, jf, k }, index) => {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jt, index * 8 + 2);
    bytes.writeUInt8(jf, index * 8 + 3);
    bytes.writeUInt32LE(k >>> 0, index * 8 + 4);
  });
  return bytes;
}

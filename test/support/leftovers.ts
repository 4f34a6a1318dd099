/** What a machine has once, and what must be as it was when an agent's work is done. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Mount points that this namespace sees and loop devices in use, below the folder of this run of the tests. */
export function mountsAndLoops(folder = tmpdir()): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  const loops = execFileSync('losetup', ['--noheadings', '--output', 'BACK-FILE', '--all'], { encoding: 'utf8' }).split('\n');
  return [...mounts.map((line) => `mount ${line.split(' ')[4]}`), ...loops.map((line) => `loop ${line.trim()}`)]
    .filter((text) => text.includes(`${folder}/`))
    .sort();
}

/** What a measurement or a count was made with: without it, neither can be repeated. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

export function versionsHere(): Record<string, string> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return {
    tsugite: version,
    commit: firstLineOf('git', ['rev-parse', '--short', 'HEAD']),
    node: process.version,
    openssl: process.versions.openssl ?? '',
    kernel: os.release(),
    bubblewrap: firstLineOf('bwrap', ['--version']).replace('bubblewrap ', ''),
  };
}

/** @returns `not here` when there is no such program */
function firstLineOf(program: string, args: readonly string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? '';
  } catch {
    return 'not here';
  }
}

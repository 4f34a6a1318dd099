/** A wall clock as a gateway without a battery has it: Debian's libfaketime stands between the agent and the kernel's time of day. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

export type PretendedClock = {
  /** For the agent's start. */
  readonly environment: Readonly<Record<string, string>>;
  /** Also under a running agent: its next look at the clock sees it. */
  set(atMs: number): void;
};

/** @param file  where the agent looks */
export function aPretendedClock(file: string, atMs: number): PretendedClock {
  const preload = execFileSync('faketime', ['-f', '+0', 'printenv', 'LD_PRELOAD'], { encoding: 'utf8' }).trim();
  const set = (toMs: number) => {
    const aheadS = Math.round((toMs - Date.now()) / 1000);
    writeFileSync(file, `${aheadS < 0 ? '' : '+'}${aheadS}\n`);
  };
  set(atMs);
  return {
    environment: {
      LD_PRELOAD: preload,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      // Time that passes is what no thief can set: only the time of day is pretended.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    set,
  };
}

/** One server a data folder: two would give the same notice version to two notices. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { TsugiteError } from '../../protocol/errors.ts';

/**
 * Takes the folder for this process until `release`, or until the process ends: a pid alone may belong to another program after a reboot, so its
 * start time is kept beside it (proc(5), field 22 of /proc/PID/stat).
 *
 * @throws TsugiteError ALREADY_RUNNING
 */
export function lockDataFolder(path: string, dataDir: string): { release(): void } {
  const own = `${process.pid} ${startOf(process.pid)}\n`;
  for (let isSecondTry = false; ; isSecondTry = true) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: 0o644 });
      return { release: () => rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || isSecondTry) throw error;
    }
    const [pid, start] = readFileSync(path, 'utf8').trim().split(' ');
    if (start !== undefined && startOf(Number(pid)) === start)
      throw new TsugiteError('ALREADY_RUNNING', { path: dataDir, pid: Number(pid) });
    rmSync(path, { force: true });
  }
}

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The program's name is in parentheses and may hold anything: count the fields behind it.
    return stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .at(19);
  } catch {
    return undefined;
  }
}

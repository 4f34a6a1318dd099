/** What the kernel counts for this process, and for the children that it has waited for. */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

/** USER_HZ is 100 on every Linux that Node runs on (proc(5), sysconf(3)). */
const ticksPerSecond = 100;

/** CPU of a process, kernel and user: its own, and of the children that it has waited for. 0 when it is gone. */
export function cpuMsOf(pid: number | 'self'): number {
  const stat = readIfThere(`/proc/${pid}/stat`);
  // The name in brackets may hold anything: the fields are counted after it. utime, stime, cutime, cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond) * 1000;
}

export type Cost = { readonly wallMs: number; readonly cpuMs: number };

export async function costOf(job: () => Promise<void>): Promise<Cost> {
  const [cpuBefore, wallBefore] = [cpuMsOf('self'), performance.now()];
  await job();
  return { wallMs: performance.now() - wallBefore, cpuMs: cpuMsOf('self') - cpuBefore };
}

/** The largest resident size that a process has had, in bytes; 0 when it is gone. */
export function peakRssBytes(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

export type Memory = { readonly rssBytes: number; readonly privateDirtyBytes: number; readonly privateBytes: number };

/** As the kernel accounts it (proc(5), smaps_rollup). Pages of the node binary are shared between all that run it: `privateDirtyBytes` counts none of them. */
export function memoryOf(pid: number): Memory {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) * 1024;
  return {
    rssBytes: field('Rss'),
    privateDirtyBytes: field('Private_Dirty'),
    privateBytes: field('Private_Dirty') + field('Private_Clean'),
  };
}

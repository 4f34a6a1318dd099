/** Which control group files hold which limit, in both generations of the kernel interface, and what their counters say after a death. */

import type { ProcessLimits } from './sandbox-profile.ts';

export type CgroupVersion = 'v1' | 'v2';
export const controllers = ['memory', 'pids', 'cpu'] as const;
export type Controller = (typeof controllers)[number];

/** `isOptional`: not every kernel has the file (swap accounting), and without it nothing is lost. */
export type CgroupWrite = { readonly controller: Controller; readonly file: string; readonly value: string; readonly isOptional?: boolean };

const periodUs = 100_000;

export function limitWrites(version: CgroupVersion, limits: ProcessLimits): CgroupWrite[] {
  const memory = String(limits.memoryBytes);
  const quotaUs = Math.max(1_000, Math.round((limits.cpuPercent * periodUs) / 100));
  if (version === 'v2')
    return [
      { controller: 'memory', file: 'memory.max', value: memory },
      { controller: 'memory', file: 'memory.swap.max', value: '0', isOptional: true },
      { controller: 'memory', file: 'memory.oom.group', value: '1', isOptional: true },
      { controller: 'pids', file: 'pids.max', value: String(limits.pids) },
      { controller: 'cpu', file: 'cpu.max', value: `${quotaUs} ${periodUs}` },
    ];
  return [
    { controller: 'memory', file: 'memory.limit_in_bytes', value: memory },
    { controller: 'memory', file: 'memory.memsw.limit_in_bytes', value: memory, isOptional: true }, // after the line above: never below it
    { controller: 'pids', file: 'pids.max', value: String(limits.pids) },
    { controller: 'cpu', file: 'cpu.cfs_period_us', value: String(periodUs) },
    { controller: 'cpu', file: 'cpu.cfs_quota_us', value: String(quotaUs) },
  ];
}

export type MemoryFacts = {
  readonly usedBytes: number;
  readonly peakBytes: number;
  readonly oomKills: number;
  /** Times the limit was hit. A page cache that fills it up does that too, and harms nobody. */
  readonly limitHits: number;
  /** Pages that were thrown out and needed again: what tells thrashing from a full cache. Not in every kernel. */
  readonly refaults: number | undefined;
};

/** @param read  content of a file of the memory controller, or undefined where the kernel has none */
export function memoryFacts(version: CgroupVersion, read: (file: string) => string | undefined): MemoryFacts {
  if (version === 'v2') {
    const usedBytes = numberIn(read('memory.current'));
    const events = read('memory.events');
    return {
      usedBytes,
      peakBytes: Math.max(usedBytes, numberIn(read('memory.peak'))), // memory.peak: Linux 5.19 and later
      oomKills: counterIn(events, 'oom_kill'),
      limitHits: counterIn(events, 'max'),
      refaults: refaultsIn(read('memory.stat')),
    };
  }
  return {
    usedBytes: numberIn(read('memory.usage_in_bytes')),
    peakBytes: numberIn(read('memory.max_usage_in_bytes')),
    oomKills: counterIn(read('memory.oom_control'), 'oom_kill'),
    limitHits: numberIn(read('memory.failcnt')),
    refaults: refaultsIn(read('memory.stat')),
  };
}

/** One counter until Linux 5.8, then one for files and one for the rest. */
function refaultsIn(stat: string | undefined): number | undefined {
  const counted = [...(stat ?? '').matchAll(/^workingset_refault(?:_anon|_file)? (\d+)$/gm)].map(([, count]) => Number(count));
  return counted.length === 0 ? undefined : counted.reduce((sum, count) => sum + count, 0);
}

export function parsePids(procs: string): number[] {
  return procs.split('\n').filter(Boolean).map(Number);
}

/** Where /proc/self/mountinfo says that each controller is mounted; undefined unless all are, of one generation. */
export function findHierarchies(mountinfo: string, v2Controllers: (mountPoint: string) => readonly string[]): Hierarchies | undefined {
  const mounts = mountinfo.split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type = '', , superOptions = ''] = after.split(' ');
    return type === 'cgroup' || type === 'cgroup2' ? [{ type, at: before.split(' ')[4] ?? '', options: superOptions.split(',') }] : [];
  });
  const unified = mounts.find(({ type }) => type === 'cgroup2');
  if (unified && controllers.every((name) => v2Controllers(unified.at).includes(name)))
    return { version: 'v2', at: { memory: unified.at, pids: unified.at, cpu: unified.at } };
  const v1At = (name: Controller) => mounts.find(({ type, options }) => type === 'cgroup' && options.includes(name))?.at;
  const [memory, pids, cpu] = [v1At('memory'), v1At('pids'), v1At('cpu')];
  return memory && pids && cpu ? { version: 'v1', at: { memory, pids, cpu } } : undefined;
}
export type Hierarchies = { readonly version: CgroupVersion; readonly at: Readonly<Record<Controller, string>> };

function numberIn(text: string | undefined): number {
  const value = Number(text?.trim() ?? 0);
  return Number.isSafeInteger(value) ? value : 0;
}

function counterIn(text: string | undefined, key: string): number {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(`${key} `));
  return numberIn(line?.slice(key.length));
}

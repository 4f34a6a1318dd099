import { describe, expect, test } from 'vitest';
import { findHierarchies, limitWrites, memoryFacts } from '../../../agent/rules/cgroup-files.ts';

const limits = { memoryBytes: 67_108_864, cpuPercent: 25, pids: 34, files: 256, fileBytes: 1 };
const asLines = (version: 'v1' | 'v2') =>
  limitWrites(version, limits).map(({ controller, file, value }) => `${controller}: ${file} = ${value}`);

test('the limits in the files of cgroup v1', () => {
  expect(asLines('v1')).toEqual([
    'memory: memory.limit_in_bytes = 67108864',
    'memory: memory.memsw.limit_in_bytes = 67108864',
    'pids: pids.max = 34',
    'cpu: cpu.cfs_period_us = 100000',
    'cpu: cpu.cfs_quota_us = 25000',
  ]);
});

test('the limits in the files of cgroup v2', () => {
  expect(asLines('v2')).toEqual([
    'memory: memory.max = 67108864',
    'memory: memory.swap.max = 0',
    'memory: memory.oom.group = 1',
    'pids: pids.max = 34',
    'cpu: cpu.max = 25000 100000',
  ]);
});

test('what the counters say after a kill by the memory limit', () => {
  const v1 = {
    'memory.usage_in_bytes': '4096\n',
    'memory.max_usage_in_bytes': '67108864\n',
    'memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill 1\n',
    'memory.failcnt': '70\n',
    'memory.stat': 'cache 1\nworkingset_refault_anon 2\nworkingset_refault_file 40\ntotal_workingset_refault_file 999\n',
  };
  const v2 = {
    'memory.current': '4096\n',
    'memory.peak': '67108864\n',
    'memory.events': 'low 0\nhigh 0\nmax 70\noom 1\noom_kill 1\noom_group_kill 0\n',
    'memory.stat': 'anon 1\nworkingset_refault 42\n',
  };
  const facts = { usedBytes: 4096, peakBytes: 67_108_864, oomKills: 1, limitHits: 70, refaults: 42 };
  expect(memoryFacts('v1', (file) => v1[file as keyof typeof v1])).toEqual(facts);
  expect(memoryFacts('v2', (file) => v2[file as keyof typeof v2])).toEqual(facts);
});

test('a kernel without memory.peak shows what is used now, and no file at all reads as nothing', () => {
  expect(memoryFacts('v2', (file) => (file === 'memory.current' ? '5000\n' : undefined)).peakBytes).toBe(5000);
  expect(memoryFacts('v1', () => undefined)).toEqual({ usedBytes: 0, peakBytes: 0, oomKills: 0, limitHits: 0, refaults: undefined });
});

describe('where the controllers are', () => {
  const v1 = ['memory', 'pids', 'cpu'].map(
    (name, index) => `3${index} 28 0:3${index} / /sys/fs/cgroup/${name} rw,relatime - cgroup cgroup rw,${name}`,
  );
  const unified = '41 28 0:41 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw';

  test('a hybrid machine, whose v2 tree has no controllers, is used as v1', () => {
    expect(findHierarchies([...v1, unified].join('\n'), () => ['hugetlb'])).toEqual({
      version: 'v1',
      at: { memory: '/sys/fs/cgroup/memory', pids: '/sys/fs/cgroup/pids', cpu: '/sys/fs/cgroup/cpu' },
    });
  });

  test('cpu and cpuacct mounted together are found', () => {
    const joined = [v1[0], v1[1], '32 28 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct'].join('\n');
    expect(findHierarchies(joined, () => [])?.at.cpu).toBe('/sys/fs/cgroup/cpu,cpuacct');
  });

  test('a machine with v2 alone', () => {
    const only = '30 28 0:30 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw,nsdelegate';
    expect(findHierarchies(only, () => ['cpuset', 'cpu', 'io', 'memory', 'pids'])?.version).toBe('v2');
  });

  test('a missing controller is a machine without limits, which is said so and not worked around', () => {
    expect(findHierarchies(v1.slice(0, 2).join('\n'), () => [])).toBeUndefined();
  });
});

/** Without the machine a figure says nothing. */
import { cpus, loadavg, release, totalmem } from 'node:os';

export function describeMachine(): Record<string, string | number> {
  const all = cpus();
  return {
    cpu: all[0]?.model.trim() ?? 'unknown',
    cores: all.length,
    memoryMb: Math.round(totalmem() / 1_000_000),
    kernel: `${process.platform} ${release()} ${process.arch}`,
    node: process.versions.node,
    loadAtTheEnd: Number(loadavg()[0]?.toFixed(2)),
  };
}

import { statfsSync } from 'node:fs';
import type { Disk } from '../ports.ts';

export function makeDisk(dataDir: string): Disk {
  return {
    freeBytes() {
      const { bavail, bsize } = statfsSync(dataDir);
      return bavail * bsize;
    },
  };
}

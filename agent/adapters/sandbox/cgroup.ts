/** Control groups on disk: made before the process, joined before its exec, killed and removed as a whole. */

import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type CgroupVersion,
  controllers,
  findHierarchies,
  type Hierarchies,
  limitWrites,
  type MemoryFacts,
  memoryFacts,
  parsePids,
} from '../../rules/cgroup-files.ts';
import type { ProcessLimits } from '../../rules/sandbox-profile.ts';

export type Cgroup = {
  /** @throws the file system's error: the process must then be killed, not run without limits */
  join(pid: number): void;
  pids(): number[];
  memory(): MemoryFacts;
  /** Ends every process and removes the folders. Returns the pids that still stood after `timeoutMs`: empty when all is gone. */
  destroy(timeoutMs: number): Promise<number[]>;
};
export type Cgroups = {
  readonly version: CgroupVersion;
  make(name: string, limits: ProcessLimits): Cgroup;
  /** What an earlier agent left under our parent, by name. */
  leftovers(): { name: string; cgroup: Cgroup }[];
  /** Removes our parent folders; those that still hold a group stay. */
  close(): void;
};

const pollMs = 5;

/** @returns undefined where the machine offers no writable memory, pids and cpu controllers */
export function openCgroups(parent: string, hierarchies = hierarchiesOfThisMachine()): Cgroups | undefined {
  if (!hierarchies) return undefined;
  const roots = [...new Set(controllers.map((name) => hierarchies.at[name]))];
  try {
    for (const root of roots) mkdirSync(join(root, parent), { recursive: true });
    if (hierarchies.version === 'v2') delegate(hierarchies.at.memory, parent);
  } catch {
    return undefined; // read-only /sys/fs/cgroup, as in an unprivileged container
  }
  const folderOf = (name: string) => roots.map((root) => join(root, parent, name));
  return {
    version: hierarchies.version,
    make: (name, limits) => makeCgroup(hierarchies, parent, name, limits),
    close: () => {
      for (const root of roots) removeFolder(join(root, parent));
    },
    leftovers: () =>
      [...new Set(roots.flatMap((root) => foldersIn(join(root, parent))))].map((name) => ({
        name,
        cgroup: cgroupAt(hierarchies, folderOf(name), join(hierarchies.at.memory, parent, name)),
      })),
  };
}

function hierarchiesOfThisMachine(): Hierarchies | undefined {
  return findHierarchies(readFileSync('/proc/self/mountinfo', 'utf8'), (at) => words(readIfThere(join(at, 'cgroup.controllers'))));
}

/** cgroup v2: a controller reaches a child only if every folder above names it (Linux cgroup-v2.rst, "Enabling and Disabling"). */
function delegate(root: string, parent: string): void {
  const wanted = controllers.map((name) => `+${name}`).join(' ');
  let folder = root;
  for (const part of ['', ...parent.split('/')]) {
    folder = join(folder, part);
    writeFileSync(join(folder, 'cgroup.subtree_control'), wanted);
  }
}

function makeCgroup(hierarchies: Hierarchies, parent: string, name: string, limits: ProcessLimits): Cgroup {
  const folders = [...new Set(controllers.map((controller) => join(hierarchies.at[controller], parent, name)))];
  const cgroup = cgroupAt(hierarchies, folders, join(hierarchies.at.memory, parent, name));
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  for (const { controller, file, value, isOptional } of limitWrites(hierarchies.version, limits)) {
    try {
      writeFileSync(join(hierarchies.at[controller], parent, name, file), value);
    } catch (cause) {
      if (isOptional) continue;
      for (const folder of folders) rmdirSync(folder);
      throw cause;
    }
  }
  return cgroup;
}

function cgroupAt(hierarchies: Hierarchies, folders: readonly string[], memoryFolder: string): Cgroup {
  const pids = () => [...new Set(folders.flatMap((folder) => parsePids(readIfThere(join(folder, 'cgroup.procs')) ?? '')))];
  return {
    pids,
    join: (pid) => {
      for (const folder of folders) writeFileSync(join(folder, 'cgroup.procs'), String(pid));
    },
    memory: () => memoryFacts(hierarchies.version, (file) => readIfThere(join(memoryFolder, file))),
    destroy: async (timeoutMs) => {
      for (let waitedMs = 0; waitedMs <= timeoutMs; waitedMs += pollMs) {
        const left = pids();
        if (left.length === 0 && folders.every(removeFolder)) return [];
        if (hierarchies.version === 'v2' && left.length > 0) killAtOnce(memoryFolder);
        for (const pid of left) kill(pid); // a fork bomb may be faster than one reading: read and kill until the folder is empty
        await delay(pollMs);
      }
      return pids();
    },
  };
}

function killAtOnce(folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.kill'), '1'); // Linux 5.14 and later
  } catch {
    // Older kernel: the processes are killed one by one.
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the reading and the signal.
  }
}

function removeFolder(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function words(text: string | undefined): string[] {
  return text?.trim().split(/\s+/) ?? [];
}

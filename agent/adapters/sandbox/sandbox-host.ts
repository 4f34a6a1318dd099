/** What the sandboxes of one agent share: its control groups and what the machine gives to each of them. */

import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { HostFacts } from '../../rules/sandbox-profile.ts';
import { missingTools } from './bwrap-launcher.ts';
import { type Cgroups, openCgroups } from './cgroup.ts';
import { readHostFacts } from './host-facts.ts';

export type SandboxHost = {
  /** @throws TsugiteError SANDBOX_UNAVAILABLE */
  open(): { cgroups: Cgroups; facts: HostFacts };
  /** Of this agent's run: generated files, sockets. */
  readonly runDir: string;
  removeLeftovers(): Promise<void>;
  /** At the agent's end, after its last app's: removes our folder of the control group tree. */
  close(): void;
};

const killTimeoutMs = 10_000;

/** @param cgroupParent  name of this agent's folder in the control group tree; no other agent of the machine may use it */
export function makeSandboxHost({ runDir, cgroupParent }: { runDir: string; cgroupParent: string }): SandboxHost {
  let opened: { cgroups: Cgroups; facts: HostFacts } | undefined;
  const open = () => {
    if (opened) return opened;
    const missing = missingTools();
    if (missing.length > 0) throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'tools', at: missing.join(', '), missing });
    const cgroups = openCgroups(cgroupParent);
    if (!cgroups) throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'cgroups', at: 'cgroup memory, pids, cpu' });
    opened = { cgroups, facts: readHostFacts(runDir) };
    return opened;
  };
  return {
    open,
    runDir,
    close: () => opened?.cgroups.close(),
    removeLeftovers: async () => {
      for (const { name, cgroup } of open().cgroups.leftovers()) {
        const left = await cgroup.destroy(killTimeoutMs);
        if (left.length > 0) throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'leftovers', at: name, pids: left });
      }
      const { etcDir } = open().facts;
      for (const name of readdirSync(runDir)) {
        if (join(runDir, name) !== etcDir) rmSync(join(runDir, name), { recursive: true, force: true });
      }
    },
  };
}

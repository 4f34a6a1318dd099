/** Runs a probe in the real profile and looks at it from both sides. */

import { chownSync, mkdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import * as z from 'zod/mini';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { SandboxProof } from '../../ports.ts';
import { appProcessLimits, appProfile } from '../../rules/sandbox-profile.ts';
import { judgeProof, type OutsideFacts, probeScript } from '../../rules/sandbox-proof.ts';
import { installerUid } from '../../rules/uids.ts';
import { launch } from './bwrap-launcher.ts';
import type { SandboxHost } from './sandbox-host.ts';

const limits = { installedBytes: 1, dataBytes: 0, memoryBytes: 64 * 1024 * 1024, cpuPercent: 100, pids: 32, files: 64 };
const namespaces = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'];
const probeTimeoutMs = 20_000;
const maxAnswerBytes = 16 * 1024;

const insideFacts = z.strictObject({
  uid: z.number(),
  capabilities: z.array(z.string()),
  seccomp: z.number(),
  noNewPrivileges: z.number(),
  namespaces: z.array(z.string()),
  writableMounts: z.array(z.string()),
  interfaces: z.array(z.string()),
  pids: z.array(z.number()),
  environment: z.array(z.string()),
  descriptors: z.array(z.string()),
});

/** @throws TsugiteError SANDBOX_UNAVAILABLE with each fault: what was expected, what was found */
export async function probeSandbox(host: SandboxHost): Promise<SandboxProof> {
  const { cgroups, facts } = host.open();
  const folder = join(host.runDir, 'probe');
  const [appDir, dataDir, gatewaySocketDir] = ['app', 'data', 'gateway'].map((name) => join(folder, name)) as [string, string, string];
  for (const path of [appDir, dataDir, gatewaySocketDir]) mkdirSync(path, { recursive: true, mode: 0o755 });
  chownSync(dataDir, installerUid, installerUid);
  const profile = {
    ...appProfile(
      { appDir, data: { kind: 'folder', path: dataDir }, gatewaySocketDir, entry: { runtime: 'node', args: ['probe.js'] }, limits },
      facts,
    ),
    command: ['/usr/bin/node', '-e', probeScript],
  };
  const processLimits = appProcessLimits(limits);
  const cgroup = cgroups.make('probe', processLimits);
  try {
    const { child, pid } = await launch({ profile, limits: processLimits, uid: installerUid, cgroup, stdin: 'pipe' });
    const timer = setTimeout(() => child.kill('SIGKILL'), probeTimeoutMs);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    const line = await firstLine(child.stdout as Readable);
    clearTimeout(timer);
    const inside = insideFacts.parse(JSON.parse(line));
    const faults = judgeProof(inside, outsideFacts(pid, cgroup.pids()));
    child.stdin?.end();
    await ended;
    if (faults.length > 0)
      throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'profile', at: faults.map(({ what }) => what).join(', '), faults });
    const { uid, capabilities, seccomp, noNewPrivileges } = inside;
    return {
      backend: 'bwrap',
      cgroup: cgroups.version,
      uid,
      capabilities: capabilities.join(' '),
      seccomp,
      noNewPrivileges: noNewPrivileges === 1,
    };
  } catch (cause) {
    if (cause instanceof TsugiteError) throw cause;
    throw new TsugiteError('SANDBOX_UNAVAILABLE', { kind: 'no-answer', at: 'probe' }, { cause });
  } finally {
    await cgroup.destroy(probeTimeoutMs);
    rmSync(folder, { recursive: true, force: true });
  }
}

function outsideFacts(pid: number | undefined, pidsInCgroup: readonly number[]): OutsideFacts {
  const status = pid === undefined ? '' : readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    expectedUid: installerUid,
    uid: Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1),
    namespaces: namespaces.map((name) => readlinkSync(`/proc/self/ns/${name}`)),
    isInCgroup: pid !== undefined && pidsInCgroup.includes(pid),
  };
}

async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += (chunk as Buffer).toString('utf8');
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end);
    if (text.length > maxAnswerBytes) break;
  }
  throw new Error(`the probe said nothing that could be read: ${text.slice(0, 200)}`);
}

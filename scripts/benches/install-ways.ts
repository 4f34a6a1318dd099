/** The two ways from a downloaded file to an installed tree that survives a power cut: what a shell does, and what the agent does. */
import { spawn } from 'node:child_process';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { systemClock as clock } from '../../agent/adapters/clock.ts';
import { makeInstaller } from '../../agent/adapters/installer.ts';
import { makePackageStore } from '../../agent/adapters/package-store.ts';
import { makePartFiles } from '../../agent/adapters/part-files.ts';
import { systemRandom as random } from '../../agent/adapters/random.ts';
import { makeProveSandbox } from '../../agent/adapters/sandbox/proof.ts';
import type { SandboxHost } from '../../agent/adapters/sandbox/sandbox-host.ts';
import type { InstallRequest } from '../../agent/ports.ts';
import { installerUid } from '../../agent/rules/uids.ts';
import { agentVersion } from '../../agent/version.ts';
import { digest } from '../../protocol/fields.ts';
import { cpuMsOf, peakRssBytes } from './process-figures.ts';
import type { SignedSample, Signer } from './signed-sample.ts';

const lookEveryMs = 4;

/** sha256sum, tar and sync of the system, in one shell. */
export async function installByShell(gzFile: string, folder: string): Promise<void> {
  mkdirSync(folder);
  await ended('sh', ['-c', 'sha256sum "$0" && tar -xzf "$0" -C "$1" && sync -f "$1"', gzFile, folder]);
}

export type Stages = { readonly hashMs: number; readonly childMs: number; readonly storeMs: number };

type AgentWay = {
  readonly dataDir: string;
  readonly host: SandboxHost;
  readonly program: { dir: string; file: string };
  readonly signer: Signer;
  readonly nowMs: number;
};

/** The agent's own adapters, in its order: hash what was downloaded, let the child prove and unpack it, make it durable in the store. */
export function makeInstallByAgent({ dataDir, host, program, signer, nowMs }: AgentWay) {
  const store = makePackageStore(dataDir, { random, ownerUid: installerUid });
  const parts = makePartFiles();
  const installer = makeInstaller({ host, prove: makeProveSandbox(host), clock, program });

  /** @param file  the downloaded `<file>.part` stands there */
  async function install(file: string, sample: SignedSample): Promise<Stages> {
    const startMs = performance.now();
    const part = await parts.open(file);
    if (part.sha256() !== sample.sha256) throw new Error('the sample is not what was signed');
    await part.finish();
    await part.close();
    const hashedMs = performance.now();
    const stagingDir = store.newStagingDir();
    await installer.install(requestFor(file, stagingDir, sample), new AbortController().signal);
    const unpackedMs = performance.now();
    await store.promote(stagingDir, digest.parse(sample.sha256));
    return { hashMs: hashedMs - startMs, childMs: unpackedMs - hashedMs, storeMs: performance.now() - unpackedMs };
  }

  function requestFor(packagePath: string, stagingDir: string, { manifest, manifestSha256 }: SignedSample): InstallRequest {
    const { software, version, provider, payload } = manifest;
    return {
      packagePath,
      stagingDir,
      expected: {
        software,
        version,
        provider,
        model: 'PR-500KI',
        firmware: '01.00.0000',
        manifestSha256: digest.parse(manifestSha256),
        installedBytes: payload.installedBytes,
      },
      limitInstalledBytes: Number.MAX_SAFE_INTEGER,
      host: { agent: agentVersion, node: process.versions.node, arch: process.arch },
      trust: { providerCas: [signer.caPem], revokedSigners: [], atMs: nowMs },
    };
  }

  return {
    install,
    /** What stands after `install`, as an observer finds it. */
    installedAt: (sample: SignedSample) => store.pathOf(digest.parse(sample.sha256)),
    undo(file: string, sample: SignedSample): void {
      rmSync(store.pathOf(digest.parse(sample.sha256)), { recursive: true });
      renameSync(file, `${file}.part`);
    },
  };
}

export type Watched = { readonly peakRssBytes: number; readonly cpuMs: number };

/**
 * Looks at the child's processes while `job` runs: nobody waits for them whom we could ask afterwards. Not in a timed round, because looking
 * costs time too.
 */
export async function watchChild(host: SandboxHost, job: () => Promise<unknown>): Promise<Watched> {
  const peaks = new Map<number, number>();
  const spent = new Map<number, number>();
  const look = () => {
    for (const pid of host
      .open()
      .cgroups.leftovers()
      .flatMap(({ cgroup }) => cgroup.pids())) {
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, peakRssBytes(pid)));
      spent.set(pid, Math.max(spent.get(pid) ?? 0, cpuMsOf(pid)));
    }
  };
  const timer = setInterval(look, lookEveryMs);
  try {
    await job();
  } finally {
    clearInterval(timer);
  }
  return { peakRssBytes: Math.max(...peaks.values()), cpuMs: [...spent.values()].reduce((sum, ms) => sum + ms, 0) };
}

export async function ended(command: string, args: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const status = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status !== 0) throw new Error(`${path.basename(command)} ended with ${status}`);
}

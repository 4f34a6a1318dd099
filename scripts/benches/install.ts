/**
 * scripts/bench install: from a downloaded package to a durable tree, against `sha256sum` + `tar -xzf` + `sync -f` of the same payload
 * on the same file system. Ours proves more: the digest of the package, two gates over the certificate chain, the signature, every name and
 * size, and the digest of the payload; in a sandbox of its own.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { makeSandboxHost, type SandboxHost } from '../../agent/adapters/sandbox/sandbox-host.ts';

import { repository } from '../story/programs.ts';
import { installFigures, type OurCost } from './install-figures.ts';
import { ended, installByShell, makeInstallByAgent, type Stages, type Watched, watchChild } from './install-ways.ts';
import { buildInstaller } from './installer-program.ts';
import { type LoopDisk, makeLoopDisk } from './loop-disk.ts';
import { type Cost, costOf } from './process-figures.ts';
import { atMost, type BenchOptions, type Goal, type Measurement, type Row } from './result.ts';
import { inRounds, keep } from './rounds.ts';
import { makeSample, type Sample } from './sample-tree.ts';
import { makeSigner, type Signer, signSample } from './signed-sample.ts';

const diskBytes = 1_500_000_000;
const defaultRounds = 7;
const watchedRuns = 3;

/** As DESIGN §9 names them; the larger one has as many files as a package may have. */
const samples = [
  { goal: 'install-7mb-ratio', gzBytes: 7_400_000, packages: ['ajv', 'fastify', 'mqtt', 'pino', 'tar', 'zod'] },
  { goal: 'install-25mb-ratio', gzBytes: 24_900_000, packages: 'all' },
] as const;
const ratioGoal = 1.2;
const peakGoalMb = 90;

type Bench = {
  readonly disk: string;
  readonly host: SandboxHost;
  readonly way: ReturnType<typeof makeInstallByAgent>;
  readonly signer: Signer;
  readonly rounds: number;
};

export async function measureInstall({ rounds = defaultRounds, say }: BenchOptions): Promise<Measurement> {
  if (process.getuid?.() !== 0) throw new Error('the sandbox and a file system of its own need root');
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bench-'));
  chmodSync(folder, 0o755);
  let disk: LoopDisk | undefined;
  try {
    disk = makeLoopDisk(folder, diskBytes);
    process.once('exit', () => rmSync(folder, { recursive: true, force: true })); // after the disk's own
    const dataDir = path.join(disk.folder, 'agent');
    const runDir = path.join(dataDir, 'run');
    mkdirSync(runDir, { recursive: true, mode: 0o711 });
    const host = makeSandboxHost({ runDir, cgroupParent: `tsugite-bench-${process.pid}` });
    const nowMs = Date.now();
    const signer = await makeSigner(nowMs);
    const program = await buildInstaller(repository, path.join(disk.folder, 'program'));
    const way = makeInstallByAgent({ dataDir, host, program, signer, nowMs });
    const rows: Row[] = [];
    const goals: Goal[] = [];
    let peakMb = 0;
    for (const { goal, gzBytes, packages } of samples) {
      say(`${goal}: making the sample`);
      const sample = makeSample(path.join(repository, 'node_modules'), packages === 'all' ? allPackages() : packages, gzBytes);
      const measured = await measureSample(sample, { disk: disk.folder, way, rounds, signer, host }, say);
      rows.push(...measured.rows);
      goals.push(atMost(goal, ratioGoal, measured.ratio, 'x'));
      peakMb = Math.max(peakMb, measured.peakMb);
    }
    host.close();
    return { rows, goals: [...goals, atMost('install-peak-mb', peakGoalMb, peakMb, 'MB')] };
  } finally {
    disk?.remove();
    rmSync(folder, { recursive: true });
  }
}

async function measureSample(sample: Sample, { disk, way, rounds, signer, host }: Bench, say: BenchOptions['say']) {
  const signed = signSample(sample, signer);
  const gzFile = path.join(disk, 'payload.tar.gz');
  const target = path.join(disk, 'by-shell');
  const tsgFile = path.join(disk, 'package.tsg');
  writeFileSync(gzFile, sample.payload);
  writeFileSync(`${tsgFile}.part`, signed.tsg);
  const floor: Cost[] = [];
  const ours: OurCost[] = [];
  const watched: Watched[] = [];
  const settle = () => ended('sync', ['-f', disk]);

  async function byShell(): Promise<Cost> {
    await settle();
    const cost = await costOf(() => installByShell(gzFile, target));
    mustHaveInstalled(target, sample);
    rmSync(target, { recursive: true });
    return cost;
  }
  async function byAgent(): Promise<OurCost> {
    await settle();
    let stages: Stages = { hashMs: 0, childMs: 0, storeMs: 0 };
    const cost = await costOf(async () => {
      stages = await way.install(tsgFile, signed);
    });
    mustHaveInstalled(way.installedAt(signed), sample);
    way.undo(tsgFile, signed);
    return { ...cost, ...stages };
  }

  await inRounds(
    rounds,
    [async (isKept) => keep(floor, isKept, await byShell()), async (isKept) => keep(ours, isKept, await byAgent())],
    say,
  );
  while (watched.length < watchedRuns) {
    await settle();
    watched.push(await watchChild(host, () => way.install(tsgFile, signed)));
    way.undo(tsgFile, signed);
  }
  rmSync(gzFile);
  rmSync(`${tsgFile}.part`);
  const about = { gzBytes: sample.payload.length, tarBytes: sample.tar.length, files: sample.files.length };
  return installFigures(about, { floor, ours, watched });
}

/** A bench of something that did not happen would be fast. */
function mustHaveInstalled(folder: string, { files }: Sample): void {
  if (!existsSync(folder)) throw new Error(`nothing was installed at ${folder}`);
  const listed = execFileSync('find', [folder, '-type', 'f', '-printf', '%s\n'], { encoding: 'utf8', maxBuffer: 10_000_000 });
  const found = listed.trim().split('\n').map(Number);
  const bytes = (sizes: readonly number[]) => sizes.reduce((sum, size) => sum + size, 0);
  if (found.length !== files.length || bytes(found) !== bytes(files.map(({ size }) => size)))
    throw new Error(`installed at ${folder}: ${found.length} files, expected ${files.length}`);
}

function allPackages(): string[] {
  return readdirSync(path.join(repository, 'node_modules'))
    .filter((name) => !name.startsWith('.'))
    .sort();
}

import type { RandomId, Version } from '../../protocol/fields.ts';
import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { SoftwareFolders } from '../ports/disk.ts';
import type { AppExit, AppProcess, Clock, Disk, PackageStore } from '../ports.ts';
import type { Deployment, Fault, Installed, SoftwareRecord } from '../rules/agent-state.ts';
import { ownReserveBytes } from '../rules/gate.ts';
import { faultOfExit, faultOfTimeout } from '../rules/memory-fault.ts';
import { limitsInForce } from '../rules/run-terms.ts';
import { done, type EffectContext, type EffectOutcome, superseded, waitFor } from './effects.ts';
import type { Trust } from './keep-trust.ts';
import { faultOf, type Supervisor } from './supervise.ts';

type Needs = {
  folders: SoftwareFolders;
  store: PackageStore;
  disk: Disk;
  supervisor: Supervisor;
  clock: Clock;
  trust: Trust;
  model: GatewayProfile;
};

/** So often may software end during its probation before that counts as a crash loop. */
const endsAllowed = 2;
const pauseAfterEndMs = 1_000;
const defaultProbationS = 60;

/** Puts an unpacked version in the place of the committed one, watches it, and brings the committed one back when it does not do. */
export function makeTrySoftware({ folders, store, disk, supervisor, clock, trust, model }: Needs) {
  /** Started by `activate`, to be watched: also one that has ended meanwhile. */
  const started = new Map<RandomId, AppProcess>();

  async function activate(context: EffectContext): Promise<EffectOutcome> {
    const record = context.record();
    const candidate = candidateOf(context.deployment());
    try {
      const isRenewed = isSameSoftware(record.committed, candidate);
      if (!isRenewed) await supervisor.halt(record.target);
      const spaceFault = await keepData(record, candidate, context);
      if (spaceFault !== undefined) return { kind: 'refused', fault: spaceFault };
      if (!isRenewed) folders.point(record, 'previous', record.committed?.sha256 ?? null);
      folders.point(record, 'current', candidate.sha256);
      if (!supervisor.running().has(record.target)) started.set(record.target, await supervisor.launch(record, candidate));
      return done;
    } catch (error) {
      return { kind: 'failed', fault: faultOf(error) };
    }
  }

  /** Data that another format may change for ever are set aside first. */
  async function keepData(record: SoftwareRecord, candidate: Installed, { change }: EffectContext): Promise<Fault | undefined> {
    if (record.committed === null || record.committed.manifest.data.format === candidate.manifest.data.format) return undefined;
    const need = folders.dataBytes(record) + ownReserveBytes;
    const free = disk.freeBytes();
    if (free < need) return { code: 'STORE_NO_SPACE', detail: { kind: 'data-copy', need, free } };
    // Said first: a copy that a power cut left half-made is no copy, and restoring without one changes nothing.
    change({ dataSaved: true });
    await folders.keepData(record);
    return undefined;
  }

  async function watchHealth(context: EffectContext): Promise<EffectOutcome> {
    const record = context.record();
    const candidate = candidateOf(context.deployment());
    const prev = record.committed?.version ?? null;
    const limitBytes = limitsInForce(record.terms.limits, model, candidate.manifest).memoryBytes;
    const probationMs = (trust.notice()?.policy.probationS ?? defaultProbationS) * 1000;
    try {
      for (let ends = 0; ; ) {
        if (context.signal.aborted) return superseded;
        const process = takeStarted(record.target) ?? (await supervisor.launch(record, candidate));
        const readiness = await Promise.race([process.readiness, aborted(context.signal)]);
        if (readiness === 'aborted') return superseded;
        if (readiness.kind === 'timeout') {
          const { timeoutS } = candidate.manifest.health;
          return failed(faultOfTimeout(readiness, { timeoutS, limitBytes, peakBytes: process.memoryPeakBytes() }), prev);
        }
        const exit = readiness.kind === 'exited' ? readiness.exit : await exitWithin(process, probationMs, context.signal);
        if (exit === undefined) return context.signal.aborted ? superseded : done;
        const memoryFault = faultOfExit(exit, limitBytes);
        if (memoryFault !== undefined) return failed(memoryFault, prev);
        ends += 1;
        const detail = { exits: ends, status: exit.status ?? -1, signal: exit.signal ?? 'none' };
        if (ends > endsAllowed) return failed({ code: 'HEALTH_PROBE_FAILED', detail }, prev);
        await supervisor.halt(record.target);
        await waitFor(pauseAfterEndMs, clock, context.signal);
      }
    } catch (error) {
      return { kind: 'failed', fault: faultOf(error) };
    }
  }

  function takeStarted(target: RandomId): AppProcess | undefined {
    const process = started.get(target) ?? supervisor.running().get(target)?.process;
    started.delete(target);
    return process;
  }

  /** @returns undefined when it still runs after `ms`, or the signal ended the wait */
  async function exitWithin(process: AppProcess, ms: number, signal: AbortSignal): Promise<AppExit | undefined> {
    const waiting = new AbortController();
    const exit = await Promise.race([process.exited, waitFor(ms, clock, AbortSignal.any([signal, waiting.signal]))]);
    waiting.abort();
    return exit ?? undefined;
  }

  /** Every step may be done twice; the committed version itself is started by the next plan. */
  async function rollBack(context: EffectContext): Promise<EffectOutcome> {
    const record = context.record();
    try {
      await supervisor.halt(record.target);
      if (context.deployment().dataSaved) await folders.restoreData(record);
      const { committed, previous } = record;
      if (committed !== null && !store.has(committed.sha256)) throw new Error(`package ${committed.sha256} is gone`);
      folders.point(record, 'current', committed?.sha256 ?? null);
      folders.point(record, 'previous', previous);
      return done;
    } catch (error) {
      const cause = faultOf(error);
      return {
        kind: 'failed',
        fault: {
          code: 'ROLLBACK_FAILED',
          detail: { prev: record.committed?.version ?? null, cause: cause.code, at: cause.detail.at ?? '' },
        },
      };
    }
  }

  return { activate, watchHealth, rollBack };
}

/** With the version that is brought back, for the sentence that people read. */
function failed({ code, detail }: Fault, prev: Version | null): EffectOutcome {
  return { kind: 'failed', fault: { code, detail: { prev, ...detail } } };
}

function candidateOf({ wish, verified, startedAt }: Deployment): Installed {
  if (verified === null) throw new Error('activation without a verified package');
  return { ...verified, version: wish.version, sha256: wish.package.sha256, attempt: wish.attempt, committedAt: startedAt };
}

/** A renewed signature (`tsugite resign`): another package, the same software. It goes on without a restart. */
function isSameSoftware(committed: Installed | null, candidate: Installed): boolean {
  return committed !== null && JSON.stringify(committed.manifest) === JSON.stringify(candidate.manifest);
}

function aborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}

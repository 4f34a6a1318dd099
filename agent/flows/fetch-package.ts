import { assertNever } from '../../protocol/assert-never.ts';
import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { DownloadFolder, SoftwareFolders } from '../ports/disk.ts';
import type { Disk, EventLog, PackageDownload, PackageStore, Random } from '../ports.ts';
import type { Fault } from '../rules/agent-state.ts';
import { findRefusal } from '../rules/gate.ts';
import { decideDownloadRetry } from '../rules/retry-download.ts';
import { done, type EffectContext, type EffectOutcome, superseded } from './effects.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import { faultOf } from './supervise.ts';

type GateNeeds = { state: StateKeeper; trust: Trust; disk: Disk; folders: SoftwareFolders; model: GatewayProfile; modelName: string };

/** Why a wish is refused at the gate now (rules/gate.ts). */
export function makeRefusalOf({ state, trust, disk, folders, model, modelName }: GateNeeds) {
  return (wish: Target): Fault | undefined =>
    findRefusal(wish, {
      state: state.now(),
      model,
      modelName,
      floors: trust.versionFloors(),
      revoked: trust.root().revokedSigners,
      freeBytes: disk.freeBytes(),
      dataBytesOf: (target) => folders.dataBytes(target) + folders.roomForData(target, Math.min(target.limits.dataBytes, model.dataBytes)),
      wall: trust.wall(),
    });
}

type ReserveNeeds = {
  refusalOf: (wish: Target) => Fault | undefined;
  /** Drops packages that only comfort needs. */
  makeRoom: () => Promise<void>;
};

export function makeReserve({ refusalOf, makeRoom }: ReserveNeeds) {
  return async ({ deployment }: EffectContext): Promise<EffectOutcome> => {
    const { wish } = deployment();
    if (refusalOf(wish)?.code === 'STORE_NO_SPACE') await makeRoom();
    const fault = refusalOf(wish);
    return fault === undefined ? done : { kind: 'refused', fault };
  };
}

type Needs = {
  trust: Trust;
  downloads: DownloadFolder;
  store: PackageStore;
  download: PackageDownload;
  random: Random;
  log: EventLog;
  /** Where this gateway was enrolled. */
  serverBase: () => string;
};

/** Brings the package's bytes here, and tries again until they are, or the deadline has passed. */
export function makeFetchPackage({ trust, downloads, store, download, random, log, serverBase }: Needs) {
  return async (context: EffectContext): Promise<EffectOutcome> => {
    const { wish } = context.deployment();
    const { sha256, bytes } = wish.package;
    if (store.has(sha256) && context.deployment().verified !== null) return done;
    for (;;) {
      if (context.signal.aborted) return superseded;
      context.change({ downloadTries: context.deployment().downloadTries + 1 });
      try {
        // Those that the signed root names exist to take this load off the server; what one of them does not have, the server has.
        const bases = [...trust.root().packageBases, serverBase()];
        await download.download({ sha256, bytes, path: downloads.pathOf(sha256), bases }, context.signal);
        context.change({ fault: null });
        return done;
      } catch (error) {
        if (context.signal.aborted) return superseded;
        const outcome = await afterFailure(context, faultOf(error));
        if (outcome !== undefined) return outcome;
      }
    }
  };

  /** @returns undefined when it is to be tried again */
  async function afterFailure({ deployment, change, pause }: EffectContext, fault: Fault): Promise<EffectOutcome | undefined> {
    const { wish } = deployment();
    const wrongDigests = deployment().wrongDigests + (fault.code === 'PKG_DIGEST_MISMATCH' ? 1 : 0);
    change({ fault, wrongDigests });
    const decision = decideDownloadRetry(fault.code, {
      tries: deployment().downloadTries,
      wrongDigests,
      nowMs: trust.nowMs(),
      deadlineMs: Date.parse(wish.deadline),
      fraction: random.fraction(),
    });
    switch (decision.kind) {
      case 'refused':
        return { kind: 'refused', fault };
      case 'failed':
        if (fault.code === 'PKG_DIGEST_MISMATCH') return { kind: 'failed', fault };
        return { kind: 'failed', fault: { code: 'DEADLINE_PASSED', detail: { deadline: wish.deadline, last: fault.code } } };
      case 'retry':
        log.write({
          event: 'download.retry',
          code: fault.code,
          target: wish.target,
          software: wish.software,
          version: wish.version,
          detail: { ...fault.detail, afterS: Math.round(decision.afterMs / 1000) },
        });
        if (decision.afterMs > 0) await pause(decision.afterMs);
        return undefined;
      default:
        return assertNever(decision);
    }
  }
}

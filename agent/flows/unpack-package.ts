import { catalogue } from '../../protocol/errors.ts';
import type { RandomId } from '../../protocol/fields.ts';
import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { DownloadFolder } from '../ports/disk.ts';
import type { Installer, InstallRequest, PackageStore } from '../ports.ts';
import type { Fault, Verified } from '../rules/agent-state.ts';
import { findPackageFault } from '../rules/compare-package.ts';
import { done, type EffectContext, type EffectOutcome, superseded } from './effects.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import { faultOf } from './supervise.ts';

type Needs = {
  state: StateKeeper;
  trust: Trust;
  store: PackageStore;
  downloads: DownloadFolder;
  installer: Installer;
  model: GatewayProfile;
  modelName: string;
  firmware: string;
  host: InstallRequest['host'];
};

/** `verify`: the child proves and unpacks into staging. `unpack`: what it unpacked becomes a package of the store, in one step. */
export function makeUnpackPackage({ state, trust, store, downloads, installer, model, modelName, firmware, host }: Needs) {
  /** Only in memory: staging is never used again, so after a restart the child works anew. */
  const staged = new Map<RandomId, string>();

  async function verify(context: EffectContext): Promise<EffectOutcome> {
    const { id, wish, verified } = context.deployment();
    if (verified !== null && store.has(wish.package.sha256)) return done;
    const outcome = await prove(context);
    if (outcome.kind !== 'done') await discard(id);
    return outcome;
  }

  async function prove(context: EffectContext): Promise<EffectOutcome> {
    const { wish } = context.deployment();
    try {
      const found = await install(context);
      const fault = findPackageFault(wish, found, state.now(), model);
      if (fault !== undefined) return { kind: 'refused', fault };
      context.change({ verified: found });
      return done;
    } catch (error) {
      return context.signal.aborted ? superseded : endedBy(faultOf(error));
    }
  }

  /** A refused package leaves nothing: what the child wrote would keep the space that the next one needs. */
  async function discard(id: RandomId): Promise<void> {
    const stagingDir = staged.get(id);
    staged.delete(id);
    if (stagingDir !== undefined) await store.discard(stagingDir);
  }

  async function unpack(context: EffectContext): Promise<EffectOutcome> {
    const { id, wish } = context.deployment();
    const { sha256 } = wish.package;
    try {
      if (!store.has(sha256)) {
        if (!staged.has(id)) {
          const again = await verify(context);
          if (again.kind !== 'done') return again;
        }
        await store.promote(staged.get(id) ?? '', sha256);
      }
      staged.delete(id);
      downloads.remove(sha256);
      return done;
    } catch (error) {
      await discard(id);
      return context.signal.aborted ? superseded : endedBy(faultOf(error));
    }
  }

  async function install({ deployment, signal }: EffectContext): Promise<Verified> {
    const { id, wish } = deployment();
    const stagingDir = store.newStagingDir();
    staged.set(id, stagingDir);
    const result = await installer.install(
      {
        packagePath: downloads.pathOf(wish.package.sha256),
        stagingDir,
        expected: {
          software: wish.software,
          version: wish.version,
          provider: wish.provider,
          model: modelName,
          firmware,
          manifestSha256: wish.manifestSha256,
          installedBytes: wish.installedBytes,
        },
        limitInstalledBytes: Math.min(wish.limits.installedBytes, model.installedBytes),
        host,
        trust: { providerCas: trust.root().providerCas, revokedSigners: trust.root().revokedSigners, atMs: trust.nowMs() },
      },
      signal,
    );
    return { manifest: result.manifest, signer: result.signer };
  }

  return { verify, unpack };
}

/** A package that breaks a rule is refused; a gateway that cannot do its part has failed. */
function endedBy(fault: Fault): EffectOutcome {
  const isOurs =
    fault.code === 'INSTALLER_FAILED' ||
    fault.code === 'INTERNAL_FAULT' ||
    fault.code === 'STORE_IO' ||
    catalogue[fault.code].retry === 'later';
  return { kind: isOurs ? 'failed' : 'refused', fault };
}

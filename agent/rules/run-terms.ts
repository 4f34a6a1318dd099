import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Grants, RunLimits } from '../../protocol/statements/notice.ts';
import type { Fault, Installed, SoftwareRecord, Terms } from './agent-state.ts';

/** The smallest of contract, model and the manifest's own wish. */
export function limitsInForce(granted: RunLimits, model: GatewayProfile, { resources }: Manifest): RunLimits {
  return {
    installedBytes: Math.min(granted.installedBytes, model.installedBytes),
    dataBytes: Math.min(granted.dataBytes, model.dataBytes, resources.dataBytes),
    memoryBytes: Math.min(granted.memoryBytes, model.memoryBytes, resources.memoryBytes),
    cpuPercent: Math.min(granted.cpuPercent, model.cpuPercent, resources.cpuPercent),
    pids: Math.min(granted.pids, model.pids, resources.pids),
    files: Math.min(granted.files, model.files),
  };
}

/** Manifest ∩ grants: neither the provider nor the operator alone opens a way out of the sandbox. */
export function permissionsInForce(granted: Grants, { permissions }: Manifest): Grants {
  return {
    lan: permissions.lan.filter((permission) => granted.lan.includes(permission)),
    wan: permissions.wan.filter((permission) => granted.wan.includes(permission)),
    telemetry: permissions.telemetry && granted.telemetry,
  };
}

/** Why software that was told what it will get could not work with it: it asks for more than the model can ever give. */
export function findResourceFault({ resources }: Manifest, granted: RunLimits, model: GatewayProfile): Fault | undefined {
  for (const name of ['memoryBytes', 'dataBytes', 'cpuPercent', 'pids'] as const) {
    const limit = Math.min(granted[name], model[name]);
    if (resources[name] > limit)
      return { code: 'RESOURCES_OVER_LIMIT', detail: { limitName: resourceNames[name], limit, actual: resources[name] } };
  }
  return undefined;
}

const resourceNames = {
  memoryBytes: { ja: 'メモリー', en: 'memory' },
  dataBytes: { ja: 'データ領域', en: 'data storage' },
  cpuPercent: { ja: 'CPU', en: 'CPU' },
  pids: { ja: 'プロセス数', en: 'processes' },
} as const;

/**
 * Equal texts: software that runs need not be started anew (a renewed signature leaves the manifest as it was). The room for its data is no part of
 * it: that grows while it runs, and shrinks at its next start.
 */
export function termsKey(installed: Installed, terms: Terms, model: GatewayProfile): string {
  const { dataBytes: _, ...limits } = limitsInForce(terms.limits, model, installed.manifest);
  return JSON.stringify([installed.manifest, limits, permissionsInForce(terms.grants, installed.manifest)]);
}

/** @param hasBytes  of data room with which it was started */
export function mayGrowData(hasBytes: number, { committed, terms }: SoftwareRecord, model: GatewayProfile): boolean {
  return committed !== null && limitsInForce(terms.limits, model, committed.manifest).dataBytes > hasBytes;
}

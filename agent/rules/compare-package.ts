import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { AgentState, Fault, Verified } from './agent-state.ts';
import { findResourceFault } from './run-terms.ts';

/**
 * Holds what the installer child found against the notice once more: the child read foreign bytes, so its word alone is not enough.
 */
export function findPackageFault(wish: Target, { manifest }: Verified, state: AgentState, model: GatewayProfile): Fault | undefined {
  const pairs = [
    ['software', wish.software, manifest.software],
    ['version', wish.version, manifest.version],
    ['provider', wish.provider, manifest.provider],
    ['installedBytes', wish.installedBytes, manifest.payload.installedBytes],
  ] as const;
  const differing = pairs.find(([, expected, found]) => expected !== found);
  if (differing !== undefined)
    return { code: 'PKG_NOTICE_MISMATCH', detail: { field: differing[0], expected: differing[1], found: differing[2] } };
  return findPrefixFault(wish, manifest.web?.prefix, state) ?? findResourceFault(manifest, wish.limits, model);
}

function findPrefixFault(wish: Target, prefix: string | undefined, state: AgentState): Fault | undefined {
  const isTaken =
    prefix !== undefined &&
    state.records.some((record) => record.target !== wish.target && record.committed?.manifest.web?.prefix === prefix);
  return isTaken ? { code: 'WEB_PREFIX_TAKEN', detail: { prefix } } : undefined;
}

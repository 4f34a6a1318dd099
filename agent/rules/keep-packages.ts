import type { Digest } from '../../protocol/fields.ts';
import type { AgentState } from './agent-state.ts';

/**
 * Packages of the store that nothing needs.
 *
 * @param inUse         what running software was started from
 * @param keepPrevious  false when room is short: the versions before are a convenience, the disk is not
 */
export function decideRemovals(
  stored: readonly Digest[],
  state: AgentState,
  { inUse, keepPrevious }: { inUse: readonly Digest[]; keepPrevious: boolean },
): Digest[] {
  const needed = new Set([
    ...inUse,
    ...state.records.flatMap(({ committed, previous }) => [committed?.sha256, keepPrevious ? previous : null]),
    ...state.deployments.map(({ wish }) => wish.package.sha256),
  ]);
  return stored.filter((sha256) => !needed.has(sha256));
}

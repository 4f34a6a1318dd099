import type { GatewayId } from '../../protocol/fields.ts';
import type { StateStore } from '../ports/disk.ts';
import { type AgentState, emptyState } from '../rules/agent-state.ts';

export type StateKeeper = {
  now(): AgentState;
  /** Durable before it returns. A change that changes nothing is not written. @throws TsugiteError DISK_FULL · STORE_IO (nothing changed) */
  change(rule: (state: AgentState) => AgentState): AgentState;
};

/** The one holder of the agent's state in memory; disk and memory never differ. */
export function makeKeepState({ store, gateway }: { store: StateStore; gateway: GatewayId }): StateKeeper {
  let state = store.load() ?? emptyState(gateway);

  return {
    now: () => state,
    change(rule) {
      const next = rule(state);
      if (next !== state && JSON.stringify(next) !== JSON.stringify(state)) store.save(next);
      state = next;
      return state;
    },
  };
}

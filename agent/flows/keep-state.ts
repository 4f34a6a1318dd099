import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { StateStore } from '../ports/disk.ts';
import type { EventLog } from '../ports.ts';
import { type AgentState, emptyState } from '../rules/agent-state.ts';

export type StateKeeper = {
  now(): AgentState;
  /** Durable before it returns. A change that changes nothing is not written. @throws TsugiteError DISK_FULL · STORE_IO (nothing changed) */
  change(rule: (state: AgentState) => AgentState): AgentState;
};

/** The one holder of the agent's state in memory; disk and memory never differ. */
export function makeKeepState({ store, gateway, log }: { store: StateStore; gateway: GatewayId; log: EventLog }): StateKeeper {
  let state = load();

  /**
   * With neither file nor copy left the gateway is as after a factory reset: what stands on disk belongs to no contract that we know of, is
   * purged at the start, and everything is delivered again.
   */
  function load(): AgentState {
    try {
      return store.load() ?? emptyState(gateway);
    } catch (error) {
      // A whole state of another version of ours is no damage: acting as if it were would purge a household's data.
      if (!(error instanceof TsugiteError && error.code === 'STATE_DAMAGED') || error.detail.kind === 'not-understood') throw error;
      log.write({ event: 'state.damaged', code: error.code, detail: error.detail });
      return emptyState(gateway);
    }
  }

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

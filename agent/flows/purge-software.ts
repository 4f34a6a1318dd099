import { type ProviderId, type RandomId, type SoftwareId, toUtcTime } from '../../protocol/fields.ts';
import type { ReportBody, SoftwareFolders } from '../ports/disk.ts';
import type { EventLog } from '../ports.ts';
import { type AgentState, type PurgeReason, type SoftwareRecord, withoutDeployment, withoutRecord } from '../rules/agent-state.ts';
import { forgetCommitted } from '../rules/version-floors.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Supervisor } from './supervise.ts';

type Purging = NonNullable<AgentState['purging']>;
type Named = { target: RandomId; software: SoftwareId; provider: ProviderId };
type Needs = {
  state: StateKeeper;
  trust: Trust;
  folders: SoftwareFolders;
  supervisor: Pick<Supervisor, 'halt'>;
  log: EventLog;
  report: (body: ReportBody) => void;
  sweepStore: () => Promise<void>;
};

export type PurgeSoftware = {
  purge(record: SoftwareRecord, reason: PurgeReason): Promise<void>;
  /** After a restart: what was begun is done to its end. */
  goOn(): Promise<void>;
  /** Closes a removal of which nothing is here. */
  close(removed: Named, reason: PurgeReason): void;
};

/** Stop, uninstall, delete the data, say so. Written down first, so that a power cut in the middle leaves nothing behind. */
export function makePurgeSoftware({ state, trust, folders, supervisor, log, report, sweepStore }: Needs): PurgeSoftware {
  async function finish(purging: Purging): Promise<void> {
    const { target } = purging;
    await supervisor.halt(target);
    await folders.purge(purging);
    state.change((now) => withoutDeployment(withoutRecord(now, target), target));
    trust.saveVersionFloors(forgetCommitted(trust.versionFloors(), purging.software, purging.provider));
    await sweepStore();
    tell(purging, purging.reason);
    state.change((now) => ({ ...now, purging: null, closedRemovals: [...now.closedRemovals, target] }));
  }

  function tell({ target, software }: Named, reason: PurgeReason): void {
    report({ at: toUtcTime(trust.nowMs()), kind: 'purge', target, software, detail: { reason } });
    log.write({ event: 'software.purged', target, software, detail: { reason } });
  }

  return {
    async purge(record, reason) {
      const { target, software, provider } = record;
      if (reason === 'cancelled') log.write({ event: 'entitlement.revoked', code: 'ELIG_CONTRACT_ENDED', target, software, detail: {} });
      const purging: Purging = { target, software, provider, reason };
      state.change((now) => ({ ...now, purging }));
      await finish(purging);
    },
    async goOn() {
      const { purging } = state.now();
      if (purging !== null) await finish(purging);
    },
    close(removed, reason) {
      tell(removed, reason);
      state.change((now) => ({ ...now, closedRemovals: [...now.closedRemovals, removed.target] }));
    },
  };
}

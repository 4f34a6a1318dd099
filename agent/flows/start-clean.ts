import type { GatewayId } from '../../protocol/fields.ts';
import type { SoftwareFolders } from '../ports/disk.ts';
import type { EventLog, PackageStore, Sandbox } from '../ports.ts';
import { emptyState } from '../rules/agent-state.ts';
import type { StateKeeper } from './keep-state.ts';
import type { PurgeSoftware } from './purge-software.ts';
import { faultOf } from './supervise.ts';

type Needs = {
  gateway: GatewayId;
  state: StateKeeper;
  sandbox: Sandbox;
  store: PackageStore;
  folders: SoftwareFolders;
  purging: PurgeSoftware;
  sweepStore: (options: { keepPrevious: boolean }) => Promise<void>;
  log: EventLog;
};

/** Before anything is started: what an earlier run left half-done is finished or removed, whatever ended that run. */
export function makeStartClean({ gateway, state, sandbox, store, folders, purging, sweepStore, log }: Needs) {
  async function removeLeftovers(): Promise<void> {
    try {
      await sandbox.removeLeftovers();
    } catch (error) {
      log.write({ event: 'sandbox.unavailable', ...faultOf(error) });
    }
  }

  /** Another household must never meet these data: everything goes before the new identity is used. */
  async function purgeOtherIdentity(): Promise<void> {
    if (state.now().gateway === gateway) return;
    log.write({ event: 'agent.identity_changed', detail: { from: state.now().gateway } });
    for (const record of state.now().records) await purging.purge(record, 'other-identity');
    state.change(() => emptyState(gateway));
  }

  /** Data without a record cannot be told to belong to a contract that is still valid. */
  async function purgeUnknown(): Promise<void> {
    const isKnown = (folder: { software: string; provider: string }) =>
      state.now().records.some((record) => record.software === folder.software && record.provider === folder.provider);
    for (const folder of folders.list()) {
      if (isKnown(folder)) continue;
      await folders.purge(folder);
      log.write({ event: 'software.purged', software: folder.software, detail: { reason: 'unknown' } });
    }
  }

  return async (): Promise<void> => {
    await removeLeftovers();
    store.sweepStaging();
    await purging.goOn();
    await purgeOtherIdentity();
    await purgeUnknown();
    await sweepStore({ keepPrevious: true });
  };
}

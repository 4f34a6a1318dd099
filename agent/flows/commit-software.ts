import type { SoftwareFolders } from '../ports/disk.ts';
import { type Deployment, recordOf } from '../rules/agent-state.ts';
import { learnCommit } from '../rules/version-floors.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Supervisor } from './supervise.ts';

type Needs = { state: StateKeeper; trust: Trust; folders: SoftwareFolders; supervisor: Pick<Supervisor, 'adopt'> };

/** What a commit means beside the state: from here on nothing older comes in, the copy of the data goes, and the app is ours to keep running. */
export function makeCommit({ state, trust, folders, supervisor }: Needs) {
  return async ({ wish, verified, startedAt }: Deployment): Promise<void> => {
    const record = recordOf(state.now(), wish.target);
    if (record === undefined || verified === null) return;
    const installed = { ...verified, version: wish.version, sha256: wish.package.sha256, attempt: wish.attempt, committedAt: startedAt };
    trust.saveVersionFloors(learnCommit(trust.versionFloors(), installed, wish.rollback !== undefined));
    await folders.dropKeptData(record);
    supervisor.adopt(wish.target);
  };
}

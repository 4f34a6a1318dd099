import type { UtcTime } from '../../protocol/fields.ts';
import {
  type AgentState,
  type Deployment,
  type Ended,
  type Fault,
  type Installed,
  recordOf,
  type SoftwareRecord,
  withoutDeployment,
  withRecord,
} from './agent-state.ts';
import type { FinalState } from './deployment-machine.ts';

/** So many ends are remembered for one target. */
const endsKept = 16;

/** The state after a deployment ended: what is committed, what is not to be tried again, and no deployment any more. */
export function endDeployment(state: AgentState, deployment: Deployment, final: FinalState, at: UtcTime): AgentState {
  const record = recordOf(state, deployment.wish.target);
  const without = withoutDeployment(state, deployment.wish.target);
  if (record === undefined) return without;
  return withRecord(without, recordAfter(record, deployment, final, at));
}

function recordAfter(record: SoftwareRecord, deployment: Deployment, final: FinalState, at: UtcTime): SoftwareRecord {
  if (final === 'superseded') return record;
  if (final === 'committed')
    return { ...record, committed: installedBy(deployment, at), previous: previousAfter(record, deployment), trouble: null };
  return { ...record, ended: [...record.ended, endedBy(deployment, final, record, at)].slice(-endsKept) };
}

function previousAfter({ committed, previous }: SoftwareRecord, { wish }: Deployment): SoftwareRecord['previous'] {
  return committed === null || committed.sha256 === wish.package.sha256 ? previous : committed.sha256;
}

function installedBy({ wish, verified }: Deployment, at: UtcTime): Installed {
  if (verified === null) throw new Error('a deployment was committed without a verified package');
  return { ...verified, version: wish.version, sha256: wish.package.sha256, attempt: wish.attempt, committedAt: at };
}

function endedBy(deployment: Deployment, state: Ended['state'], record: SoftwareRecord, at: UtcTime): Ended {
  const { wish } = deployment;
  const fault: Fault = deployment.fault ?? { code: 'INTERNAL_FAULT', detail: {} };
  const before = record.ended.findLast((entry) => entry.sha256 === wish.package.sha256 && entry.attempt === wish.attempt);
  return {
    sha256: wish.package.sha256,
    attempt: wish.attempt,
    version: wish.version,
    state,
    beforeDownload: state === 'rejected' && deployment.downloadTries === 0,
    fault,
    at,
    powerCuts: (before?.powerCuts ?? 0) + (fault.code === 'POWER_LOST' ? 1 : 0),
  };
}

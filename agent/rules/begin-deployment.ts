import type { RandomId, UtcTime } from '../../protocol/fields.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import { type AgentState, type Deployment, freeUid, recordOf, type SoftwareRecord, withDeployment, withRecord } from './agent-state.ts';
import { termsOf } from './apply-notice.ts';

/** The state with a deployment of `wish` in its first state, and a record of its target when it had none. */
export function beginDeployment(state: AgentState, wish: Target, id: RandomId, at: UtcTime): AgentState {
  const record = recordOf(state, wish.target) ?? newRecord(state, wish, at);
  const deployment: Deployment = {
    id,
    wish,
    state: 'accepted',
    startedAt: at,
    restarts: 0,
    wrongDigests: 0,
    downloadTries: 0,
    verified: null,
    dataSaved: false,
    fault: null,
  };
  return withDeployment(withRecord(state, record), deployment);
}

function newRecord(state: AgentState, wish: Target, at: UtcTime): SoftwareRecord {
  return {
    target: wish.target,
    software: wish.software,
    provider: wish.provider,
    uid: freeUid(state),
    terms: termsOf(wish),
    committed: null,
    previous: null,
    ended: [],
    trouble: null,
    orphanReported: false,
    shown: { state: 'accepted', at, fault: null },
  };
}

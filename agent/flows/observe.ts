import type { GatewayProfile } from '../../protocol/gateway-models.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { Fault } from '../rules/agent-state.ts';
import { choiceOf } from '../rules/choices.ts';
import { findInstallBlock } from '../rules/notice.ts';
import type { Situation } from '../rules/reconcile.ts';
import { mayGrowData, termsKey } from '../rules/run-terms.ts';
import type { Deploy } from './deploy.ts';
import type { ChoicesKeeper } from './keep-choices.ts';
import type { StateKeeper } from './keep-state.ts';
import type { Trust } from './keep-trust.ts';
import type { Supervisor } from './supervise.ts';

export type Observed = {
  trust: Trust;
  state: StateKeeper;
  supervisor: Pick<Supervisor, 'running' | 'restartAtMs'>;
  deploy: Pick<Deploy, 'isIdle'>;
  refusalOf: (wish: Target) => Fault | undefined;
  model: GatewayProfile;
  deployNotBeforeMs: () => number;
  choices: Pick<ChoicesKeeper, 'now'>;
};

/** Everything the plan is made from, read once, so that one plan cannot straddle a change. */
export function observe({ trust, state, supervisor, deploy, refusalOf, model, deployNotBeforeMs, choices }: Observed): Situation {
  const nowMs = trust.nowMs();
  const notice = trust.notice();
  return {
    nowMs,
    provenMs: trust.provenMs(),
    notice,
    block: notice === null ? undefined : findInstallBlock(notice, trust.root(), nowMs),
    revoked: trust.root().revokedSigners,
    state: state.now(),
    running: new Map([...supervisor.running()].map(([target, { key }]) => [target, key])),
    termsOf: (record) => (record.committed === null ? '' : termsKey(record.committed, record.terms, model)),
    mayGrowData: (record) => mayGrowData(supervisor.running().get(record.target)?.dataBytes ?? Number.POSITIVE_INFINITY, record, model),
    restartAtMs: supervisor.restartAtMs(),
    refusalOf,
    choiceOf: (wish) => choiceOf(choices.now(), wish, nowMs),
    deployNotBeforeMs: deployNotBeforeMs(),
    isIdle: deploy.isIdle(),
  };
}

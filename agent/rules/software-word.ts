import type { SoftwareState } from '../../protocol/messages/status.ts';
import type { Deployment, Fault, SoftwareRecord } from './agent-state.ts';
import { findUngranted } from './denied-traffic.ts';
import { isFinal } from './deployment-machine.ts';
import type { WishDecision } from './wish.ts';

/** The 11 words of DOMAIN §10, as people read them. */
export const softwareWords = {
  accepted: { ja: '受付済', en: 'accepted' },
  'on-hold': { ja: '確認待ち', en: 'on hold' },
  waiting: { ja: '配信待ち', en: 'waiting' },
  installing: { ja: 'インストール中', en: 'installing' },
  running: { ja: '動作中', en: 'running' },
  updating: { ja: '更新中', en: 'updating' },
  'running-previous': { ja: '以前のバージョンで動作中', en: 'running the previous version' },
  stopped: { ja: '停止中', en: 'stopped' },
  failed: { ja: '失敗（再試行します）', en: 'failed (will be tried again)' },
  refused: { ja: '配信できません', en: 'cannot be delivered' },
  ended: { ja: '廃止', en: 'ended' },
} as const satisfies Record<SoftwareState, { ja: string; en: string }>;

export type Shown = { state: SoftwareState; fault: Fault | null };

export type WordSituation = {
  record: SoftwareRecord | undefined;
  deployment: Deployment | undefined;
  /** About the notice's target; undefined when the notice does not list it. */
  decision: WishDecision | undefined;
  isRunning: boolean;
  /** Why the committed version may not run (rules/may-run.ts). */
  stop: Fault | undefined;
};

/** One word for a household, and the reason when there is one to tell. */
export function showSoftware({ record, deployment, decision, isRunning, stop }: WordSituation): Shown {
  const committed = record?.committed ?? null;
  if (deployment !== undefined && !isFinal(deployment.state)) {
    if (committed !== null) return { state: 'updating', fault: deployment.fault };
    // Only a download that will be tried again leaves a fault behind in a deployment that goes on.
    return deployment.fault === null || deployment.state === 'rolling-back'
      ? { state: 'installing', fault: deployment.fault }
      : { state: 'failed', fault: deployment.fault };
  }
  if (committed === null) return showUninstalled(decision);
  if (stop !== undefined) return { state: 'stopped', fault: stop };
  const trouble = record?.trouble ? { code: record.trouble.code, detail: record.trouble.detail } : null;
  // Why there is nothing to start says more than that it cannot be started.
  if (!isRunning)
    return { state: 'stopped', fault: decision?.kind === 'spent' && decision.ended.state === 'stuck' ? decision.ended.fault : trouble };
  if (decision?.kind === 'spent') return { state: 'running-previous', fault: decision.ended.fault };
  const onHold = decision?.kind === 'hold' ? decision.fault : undefined;
  return { state: 'running', fault: trouble ?? onHold ?? ungrantedOf(record) ?? null };
}

function ungrantedOf(record: SoftwareRecord | undefined): Fault | undefined {
  return record?.committed ? findUngranted(record.committed.manifest.permissions, record.terms.grants) : undefined;
}

function showUninstalled(decision: WishDecision | undefined): Shown {
  switch (decision?.kind) {
    // Not tried again by itself, whatever the fault: only another package or a higher attempt moves it.
    case 'spent':
      return { state: 'refused', fault: decision.ended.fault };
    case 'hold':
      return { state: 'waiting', fault: decision.fault };
    case 'deploy':
      return { state: 'accepted', fault: null };
    default:
      return { state: 'ended', fault: null };
  }
}

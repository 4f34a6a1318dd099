import type { RandomId } from '../../protocol/fields.ts';
import type { Notice, Removal, Target } from '../../protocol/statements/notice.ts';
import type { RevokedSigner } from '../../protocol/statements/root.ts';
import {
  type AgentState,
  type Deployment,
  deploymentOf,
  type Fault,
  type PurgeReason,
  recordOf,
  type SoftwareRecord,
} from './agent-state.ts';
import type { WishChoice } from './choices.ts';
import { isFinal, machine } from './deployment-machine.ts';
import { findStop, nextStopMs } from './may-run.ts';
import type { InstallBlock } from './notice.ts';
import { decideWish } from './wish.ts';

export type Situation = {
  /** Trusted time: decides what can be undone. */
  nowMs: number;
  /** Proven time: decides what cannot, since a wall clock that was told 2099 must not delete a household's data. */
  provenMs: number;
  /** In force, or null before the first one and after a notice key was lost. */
  notice: Notice | null;
  block: InstallBlock | undefined;
  revoked: readonly RevokedSigner[];
  state: AgentState;
  /** What runs, and the terms it was started under (rules/run-terms.ts). */
  running: ReadonlyMap<RandomId, string>;
  /** The terms under which a record would be started now. */
  termsOf: (record: SoftwareRecord) => string;
  /** More room for its data is granted than it was started with. */
  mayGrowData: (record: SoftwareRecord) => boolean;
  /** Software that crashed is not started before this time. */
  restartAtMs: ReadonlyMap<RandomId, number>;
  refusalOf: (wish: Target) => Fault | undefined;
  choiceOf: (wish: Target) => WishChoice;
  /** Spreads a fleet that hears of a new version at the same moment; stops and starts do not wait for it. */
  deployNotBeforeMs: number;
  /** No deployment is at work (one that waits for another try of its download is not). */
  isIdle: boolean;
};

export type Step =
  | { kind: 'interrupt'; target: RandomId; fault: Fault | undefined }
  | { kind: 'stop'; target: RandomId; fault: Fault }
  | { kind: 'report-orphan'; target: RandomId }
  | { kind: 'purge'; record: SoftwareRecord; reason: PurgeReason }
  /** Nothing of it is here; the server waits for the purge report all the same. */
  | { kind: 'close-removal'; removal: Removal }
  | { kind: 'start'; target: RandomId }
  | { kind: 'restart'; target: RandomId }
  | { kind: 'grow-data'; target: RandomId }
  | { kind: 'deploy'; wish: Target };

export type Plan = {
  steps: readonly Step[];
  /** When time alone will change the plan. */
  nextAtMs: number | undefined;
};

/** Compares what is on disk and running with the notice. The steps come in the order in which they are to be done: what ends before what begins. */
export function planSteps(situation: Situation): Plan {
  const purges = planPurges(situation);
  const going = new Set(purges.flatMap((step) => (step.kind === 'purge' ? [step.record.target] : [])));
  const staying = situation.state.records.filter((record) => !going.has(record.target));
  const steps = [
    ...planInterrupts(situation, going),
    ...staying.flatMap((record) => planRun(record, situation)),
    // A deployment in flight ends first: two flows must not work on one target's files.
    ...purges.filter((step) => step.kind !== 'purge' || deploymentOf(situation.state, step.record.target) === undefined),
    ...planDeployment(situation, going),
  ];
  return { steps, nextAtMs: nextTime(situation, staying) };
}

function planPurges({ notice, state, provenMs }: Situation): Step[] {
  const graceMs = (notice?.policy.dataGraceDays ?? 30) * 86_400_000;
  const purges = state.records.flatMap((record): Step[] => {
    const reason = purgeReason(record, notice, provenMs, graceMs);
    return reason === undefined ? [] : [{ kind: 'purge', record, reason }];
  });
  const closings = (notice?.removed ?? [])
    .filter((removal) => recordOf(state, removal.target) === undefined && !state.closedRemovals.includes(removal.target))
    .map((removal): Step => ({ kind: 'close-removal', removal }));
  return [...purges, ...closings];
}

function purgeReason(record: SoftwareRecord, notice: Notice | null, provenMs: number, graceMs: number): PurgeReason | undefined {
  const removal = notice?.removed.find((entry) => entry.target === record.target);
  if (removal !== undefined) return removal.reason;
  const isListed = notice?.targets.some((target) => target.target === record.target);
  const successor = notice?.targets.find((target) => target.software === record.software && target.provider === record.provider);
  // Data belong to the target id: another contract must never see those of the one before.
  if (isListed !== true && successor !== undefined) return 'other-target';
  if (isListed !== true && provenMs >= Date.parse(record.terms.entitledUntil) + graceMs) return 'grace-over';
  return undefined;
}

function planInterrupts(situation: Situation, going: ReadonlySet<RandomId>): Step[] {
  return situation.state.deployments.flatMap((deployment): Step[] => {
    const { target } = deployment.wish;
    if (isFinal(deployment.state) || deployment.state === 'rolling-back') return [];
    if (going.has(target)) return [{ kind: 'interrupt', target, fault: undefined }];
    const record = recordOf(situation.state, target);
    const stop = record === undefined ? undefined : findStop({ ...record, committed: null }, situation);
    if (stop !== undefined) return [{ kind: 'interrupt', target, fault: stop }];
    return machine[deployment.state].maySupersede && !isWished(deployment, situation.notice)
      ? [{ kind: 'interrupt', target, fault: undefined }]
      : [];
  });
}

function isWished({ wish }: Deployment, notice: Notice | null): boolean {
  const now = notice?.targets.find((target) => target.target === wish.target);
  return (
    now !== undefined &&
    now.package.sha256 === wish.package.sha256 &&
    now.attempt === wish.attempt &&
    now.manifestSha256 === wish.manifestSha256 &&
    now.software === wish.software &&
    now.provider === wish.provider
  );
}

/** Committed software: stop it, start it, or start it anew under other terms. A deployment past unpacking has its software in its own hands. */
function planRun(record: SoftwareRecord, situation: Situation): Step[] {
  const { target } = record;
  const deployment = deploymentOf(situation.state, target);
  if (deployment !== undefined && !isFinal(deployment.state) && !machine[deployment.state].maySupersede) return [];
  const runningTerms = situation.running.get(target);
  const stop = findStop(record, situation);
  if (stop !== undefined) {
    const report: Step[] = stop.code === 'SOFTWARE_ORPHANED' && !record.orphanReported ? [{ kind: 'report-orphan', target }] : [];
    return runningTerms === undefined ? report : [{ kind: 'stop', target, fault: stop }, ...report];
  }
  if (record.committed === null) return [];
  if (runningTerms !== undefined) {
    if (runningTerms !== situation.termsOf(record)) return [{ kind: 'restart', target }];
    return situation.mayGrowData(record) ? [{ kind: 'grow-data', target }] : [];
  }
  return situation.nowMs >= (situation.restartAtMs.get(target) ?? 0) ? [{ kind: 'start', target }] : [];
}

function planDeployment(situation: Situation, going: ReadonlySet<RandomId>): Step[] {
  if (!situation.isIdle) return [];
  const isSpread = situation.nowMs < situation.deployNotBeforeMs;
  const wish = situation.notice?.targets.find(
    (candidate) => (!isSpread || situation.choiceOf(candidate).kind === 'now') && mayDeploy(candidate, situation, going),
  );
  return wish === undefined ? [] : [{ kind: 'deploy', wish }];
}

function mayDeploy(wish: Target, situation: Situation, going: ReadonlySet<RandomId>): boolean {
  const { state, nowMs } = situation;
  // The purge of another contract's data comes first, then the plan is made anew.
  const isBlockedByPurge = state.records.some(
    (record) => going.has(record.target) && record.software === wish.software && record.provider === wish.provider,
  );
  if (isBlockedByPurge || deploymentOf(state, wish.target) !== undefined) return false;
  if (nowMs >= Date.parse(wish.entitledUntil)) return false;
  return decideWish(wish, recordOf(state, wish.target), { ...situation, refusal: () => situation.refusalOf(wish) }).kind === 'deploy';
}

function nextTime(situation: Situation, staying: readonly SoftwareRecord[]): number | undefined {
  const { nowMs, notice, state } = situation;
  const holds = (notice?.targets ?? []).flatMap((wish) => {
    const decision = decideWish(wish, recordOf(state, wish.target), { ...situation, refusal: () => undefined });
    return decision.kind === 'hold' && decision.untilMs !== undefined ? [decision.untilMs] : [];
  });
  const times = [
    situation.deployNotBeforeMs,
    ...holds,
    ...situation.restartAtMs.values(),
    ...staying.flatMap((record) => nextStopMs(record, nowMs) ?? []),
  ];
  const ahead = times.filter((time) => time > nowMs);
  return ahead.length === 0 ? undefined : Math.min(...ahead);
}

import { assertNever } from '../../protocol/assert-never.ts';
import { type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { DeploymentState } from '../../protocol/messages/report.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import type { ReportBody } from '../ports/disk.ts';
import type { Clock, EventLog, Random } from '../ports.ts';
import { type Deployment, deploymentOf, type Fault, recordOf, withDeployment } from '../rules/agent-state.ts';
import { beginDeployment } from '../rules/begin-deployment.ts';
import { type ActiveState, afterEffect, afterRestart, type FinalState, isFinal, machine } from '../rules/deployment-machine.ts';
import { endDeployment } from '../rules/end-deployment.ts';
import { reasonOf } from '../rules/report-body.ts';
import { type EffectContext, type EffectOutcome, type Effects, waitFor } from './effects.ts';
import type { StateKeeper } from './keep-state.ts';
import { makeSlot } from './slot.ts';
import { faultOf } from './supervise.ts';

export type Deploy = {
  /** Writes the deployment down and starts it. */
  begin(wish: Target): void;
  /** Takes up what an earlier run of the agent left. */
  resumeAll(): void;
  /** Ends a deployment because something newer is wanted; `fault` when that is a reason to tell. */
  interrupt(target: RandomId, fault: Fault | undefined): void;
  /** No deployment is at work. */
  isIdle(): boolean;
  /** Before the agent ends: nothing new is begun, what is on disk stays as it is. */
  stop(): void;
};

type Needs = {
  state: StateKeeper;
  effects: Effects;
  clock: Clock;
  nowMs: () => number;
  random: Random;
  log: EventLog;
  report: (body: ReportBody) => void;
  /** Once a deployment was committed, before its memory goes: version floors, kept data, the supervisor's care. */
  onCommitted: (deployment: Deployment) => Promise<void>;
  /** Its package may be needed by nobody now. */
  afterEnd: () => Promise<void>;
  /** A deployment ended, or waits: plan anew. */
  onChange: () => void;
};

const afterFaultMs = 60_000;

/** Runs deployments through their table: record the state durably, do its one effect, take the outcome. */
export function makeDeploy({ state, effects, clock, nowMs, random, log, report, onCommitted, afterEnd, onChange }: Needs): Deploy {
  const slot = makeSlot();
  const aborts = new Map<RandomId, { controller: AbortController; fault: Fault | undefined }>();
  let isStopped = false;

  async function run(target: RandomId): Promise<void> {
    const abort = { controller: new AbortController(), fault: undefined };
    aborts.set(target, abort);
    await slot.take();
    try {
      for (
        let deployment = deploymentOf(state.now(), target);
        deployment !== undefined && !isStopped;
        deployment = deploymentOf(state.now(), target)
      ) {
        if (isFinal(deployment.state)) await finish(deployment, deployment.state);
        else await step(deployment, deployment.state, contextOf(target, abort.controller.signal));
      }
    } catch (error) {
      // Our own disk failed. What is written stands, and the deployment goes on from there.
      log.write({ event: 'agent.fault', target, ...faultOf(error) });
      clock.after(afterFaultMs, () => void (isStopped || run(target)));
    } finally {
      aborts.delete(target);
      slot.giveBack();
      onChange();
    }
  }

  async function step(deployment: Deployment, from: ActiveState, context: EffectContext): Promise<void> {
    const outcome = await effects[machine[from].effect](context).catch(
      (error: unknown): EffectOutcome => ({ kind: 'failed', fault: faultOf(error) }),
    );
    if (isStopped) return;
    const to = afterEffect(from, outcome.kind);
    if (to === 'downloading' && from === 'accepted') tell(deployment, 'start', 'accepted', null);
    enter(deployment, to, faultAfter(from, outcome, context));
  }

  /** The first reason stands: why a rollback began matters more than that it went well. */
  function faultAfter(from: ActiveState, outcome: EffectOutcome, { deployment }: EffectContext): Fault | null {
    const before = deployment().fault;
    switch (outcome.kind) {
      case 'done':
        return before;
      case 'superseded':
        return aborts.get(deployment().wish.target)?.fault ?? before;
      case 'refused':
      case 'failed':
        return from === 'rolling-back'
          ? { ...outcome.fault, detail: { ...outcome.fault.detail, after: before?.code ?? '' } }
          : outcome.fault;
      default:
        return assertNever(outcome);
    }
  }

  function enter(deployment: Deployment, to: DeploymentState, fault: Fault | null): void {
    state.change((now) =>
      withDeployment(now, { ...(deploymentOf(now, deployment.wish.target) ?? deployment), state: to, restarts: 0, fault }),
    );
    const event = to === 'rolling-back' ? 'delivery.rolling_back' : 'delivery.progress';
    if (!isFinal(to)) log.write({ event, ...named(deployment.wish), state: to, ...(to === 'rolling-back' && fault ? fault : {}) });
  }

  /** Report first, then forget: a power cut between the two reports twice, the other order not at all. */
  async function finish(deployment: Deployment, final: FinalState): Promise<void> {
    if (final === 'committed') await onCommitted(deployment);
    tell(
      deployment,
      final === 'committed' || final === 'superseded' ? 'end' : 'failure',
      final,
      final === 'committed' ? null : deployment.fault,
    );
    state.change((now) => endDeployment(now, deployment, final, toUtcTime(nowMs())));
    const reason = final === 'committed' || deployment.fault === null ? {} : deployment.fault;
    log.write({ event: `delivery.${final.replace('-', '_')}`, ...named(deployment.wish), state: final, ...reason });
    await afterEnd();
  }

  function tell({ id, wish }: Deployment, kind: 'start' | 'end' | 'failure', at: DeploymentState, fault: Fault | null): void {
    report({ at: toUtcTime(nowMs()), kind, ...named(wish), deployment: id, state: at, ...(fault && reasonOf(fault)) });
  }

  function contextOf(target: RandomId, signal: AbortSignal): EffectContext {
    const deployment = () => orFail(deploymentOf(state.now(), target));
    return {
      deployment,
      record: () => orFail(recordOf(state.now(), target)),
      change: (patch) => void state.change((now) => withDeployment(now, { ...orFail(deploymentOf(now, target)), ...patch })),
      signal,
      async pause(delayMs) {
        slot.giveBack();
        onChange();
        await waitFor(delayMs, clock, signal);
        await slot.take();
      },
    };
  }

  function takeUp(deployment: Deployment): void {
    if (!isFinal(deployment.state)) {
      const next = afterRestart(deployment.state, deployment.restarts);
      const detail = { prev: recordOf(state.now(), deployment.wish.target)?.committed?.version ?? null, restarts: deployment.restarts };
      if (next.kind === 'leave') enter(deployment, next.state, { code: next.code, detail });
      else state.change((now) => withDeployment(now, { ...deployment, restarts: next.restarts }));
      log.write({ event: 'delivery.resumed', ...named(deployment.wish), state: deployment.state });
    }
    void run(deployment.wish.target);
  }

  return {
    begin(wish) {
      if (isStopped) return;
      state.change((now) => beginDeployment(now, wish, random.id(), toUtcTime(nowMs())));
      log.write({ event: 'delivery.started', ...named(wish), detail: { attempt: wish.attempt, bytes: wish.package.bytes } });
      void run(wish.target);
    },
    resumeAll() {
      for (const deployment of state.now().deployments) takeUp(deployment);
    },
    interrupt(target, fault) {
      const abort = aborts.get(target);
      if (abort === undefined || abort.controller.signal.aborted) return;
      abort.fault = fault;
      abort.controller.abort();
    },
    isIdle: () => slot.isFree(),
    stop() {
      isStopped = true;
      for (const { controller } of aborts.values()) controller.abort();
    },
  };
}

function named({ target, software, version }: Target) {
  return { target, software, version };
}

function orFail<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('a deployment lost its record');
  return value;
}

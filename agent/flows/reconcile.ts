import { assertNever } from '../../protocol/assert-never.ts';
import { type RandomId, toUtcTime } from '../../protocol/fields.ts';
import type { ReportBody } from '../ports/disk.ts';
import type { Cancel, Clock, EventLog } from '../ports.ts';
import { type Fault, recordOf, withRecord } from '../rules/agent-state.ts';
import { planSteps, type Situation, type Step } from '../rules/reconcile.ts';
import { reasonOf } from '../rules/report-body.ts';
import type { Deploy } from './deploy.ts';
import type { StateKeeper } from './keep-state.ts';
import type { PurgeSoftware } from './purge-software.ts';
import { faultOf, type Supervisor } from './supervise.ts';

/** Space frees itself, clocks are set right: without any event the plan is made anew this often. */
const atLeastEveryMs = 3_600_000;
const afterFaultMs = 60_000;

export type Reconcile = {
  /** Something changed: plan anew. Many calls at once are one. */
  trigger(): void;
  /** Resolves when no pass is under way or due. */
  settled(): Promise<void>;
  stop(): void;
};

type Needs = {
  observe: () => Situation;
  state: StateKeeper;
  supervisor: Supervisor;
  deploy: Deploy;
  purging: PurgeSoftware;
  clock: Clock;
  log: EventLog;
  report: (body: ReportBody) => void;
  /** After each pass: what people see may be another word now. */
  noteChanges: (situation: Situation) => void;
};

/** Observes, plans, acts, and observes again, until nothing is left to do; then waits for the next event or moment. */
export function makeReconcile({ observe, state, supervisor, deploy, purging, clock, log, report, noteChanges }: Needs): Reconcile {
  let pass: Promise<void> | undefined;
  let isDue = false;
  let isStopped = false;
  let cancelTimer: Cancel = () => {};

  async function runPasses(): Promise<void> {
    while (isDue && !isStopped) {
      isDue = false;
      try {
        await runPass();
      } catch (error) {
        log.write({ event: 'agent.fault', ...faultOf(error) });
        cancelTimer();
        cancelTimer = clock.after(afterFaultMs, trigger);
      }
    }
    pass = undefined;
  }

  async function runPass(): Promise<void> {
    const { steps, nextAtMs } = planSteps(observe());
    for (const step of steps) await perform(step);
    const after = observe();
    noteChanges(after);
    cancelTimer();
    cancelTimer = clock.after(Math.min(atLeastEveryMs, Math.max(1_000, (nextAtMs ?? Number.POSITIVE_INFINITY) - after.nowMs)), trigger);
  }

  function trigger(): void {
    isDue = true;
    if (!isStopped) pass ??= Promise.resolve().then(runPasses);
  }

  async function perform(step: Step): Promise<void> {
    switch (step.kind) {
      case 'interrupt':
        return deploy.interrupt(step.target, step.fault);
      case 'stop':
        log.write({ event: 'app.stopped', ...named(step.target), code: step.fault.code, detail: step.fault.detail });
        return supervisor.halt(step.target);
      case 'report-orphan':
        return reportOrphan(step.target);
      case 'purge':
        await purging.purge(step.record, step.reason);
        return trigger();
      case 'close-removal':
        return purging.close(step.removal, step.removal.reason);
      case 'start':
      case 'restart':
        return supervisor.start(step.target);
      case 'grow-data':
        return supervisor.growData(step.target);
      case 'deploy':
        return deploy.begin(step.wish);
      default:
        return assertNever(step);
    }
  }

  function reportOrphan(target: RandomId): void {
    const record = recordOf(state.now(), target);
    if (record === undefined) return;
    const fault: Fault = { code: 'SOFTWARE_ORPHANED', detail: {} };
    report({ at: toUtcTime(observe().nowMs), kind: 'orphan', ...named(target), ...reasonOf(fault) });
    log.write({ event: 'app.orphaned', ...named(target), ...fault });
    state.change((now) => withRecord(now, { ...record, orphanReported: true }));
  }

  function named(target: RandomId) {
    const record = recordOf(state.now(), target);
    return { target, ...(record && { software: record.software, ...(record.committed && { version: record.committed.version }) }) };
  }

  return {
    trigger,
    async settled() {
      while (pass !== undefined) await pass;
    },
    stop() {
      isStopped = true;
      cancelTimer();
    },
  };
}

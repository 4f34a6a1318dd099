import type { DeploymentState } from '../../protocol/messages/report.ts';

export type Effect = 'reserve' | 'download' | 'verify' | 'unpack' | 'activate' | 'watch-health' | 'roll-back';
type ActiveStep = {
  effect: Effect;
  done: DeploymentState;
  refused: DeploymentState;
  failed: DeploymentState;
  afterRestart: 'redo' | 'roll-back';
  /** So often may the agent restart in this state; then the deployment ends on its own (`failed`). */
  maxRestarts: number;
  /** A newer notice ends it as 'superseded'. Later there is something to undo first. */
  maySupersede: boolean;
};
type FinalStep = { final: 'success' | 'no-change' | 'failure' };

/** The life of an update on a gateway, power cuts included. `flows/deploy.ts` runs it; every effect may be done twice. */
// biome-ignore format: a table
export const machine = {
  'accepted':     { effect: 'reserve',      done: 'downloading', refused: 'rejected',     failed: 'failed',       afterRestart: 'redo',      maxRestarts: 20, maySupersede: true },
  'downloading':  { effect: 'download',     done: 'verifying',   refused: 'rejected',     failed: 'failed',       afterRestart: 'redo',      maxRestarts: 1000, maySupersede: true },
  'verifying':    { effect: 'verify',       done: 'unpacking',   refused: 'rejected',     failed: 'failed',       afterRestart: 'redo',      maxRestarts: 5,  maySupersede: true },
  'unpacking':    { effect: 'unpack',       done: 'activating',  refused: 'rejected',     failed: 'failed',       afterRestart: 'redo',      maxRestarts: 5,  maySupersede: true },
  'activating':   { effect: 'activate',     done: 'probation',   refused: 'rolling-back', failed: 'rolling-back', afterRestart: 'roll-back', maxRestarts: 0,  maySupersede: false },
  'probation':    { effect: 'watch-health', done: 'committed',   refused: 'rolling-back', failed: 'rolling-back', afterRestart: 'redo',      maxRestarts: 2,  maySupersede: false },
  'rolling-back': { effect: 'roll-back',    done: 'rolled-back', refused: 'stuck',        failed: 'stuck',        afterRestart: 'redo',      maxRestarts: 5,  maySupersede: false },
  'committed':    { final: 'success' },
  'rejected':     { final: 'no-change' },
  'failed':       { final: 'no-change' },
  'superseded':   { final: 'no-change' },
  'rolled-back':  { final: 'failure' },
  'stuck':        { final: 'failure' },
} as const satisfies Record<DeploymentState, ActiveStep | FinalStep>;

export type ActiveState = {
  [State in DeploymentState]: (typeof machine)[State] extends { effect: Effect } ? State : never;
}[DeploymentState];
export type FinalState = Exclude<DeploymentState, ActiveState>;
export type Outcome = 'done' | 'refused' | 'failed' | 'superseded';

export function isFinal(state: DeploymentState): state is FinalState {
  return 'final' in machine[state];
}

/** The state after an effect. A deployment that may no longer be superseded takes the wish as a failure, so that it is rolled back. */
export function afterEffect(state: ActiveState, outcome: Outcome): DeploymentState {
  const step = machine[state];
  if (outcome === 'superseded') return step.maySupersede ? 'superseded' : step.failed;
  return step[outcome];
}

export type Restarted =
  | { kind: 'redo'; restarts: number }
  /** `code` says why it could not simply be done again. */
  | { kind: 'leave'; state: DeploymentState; code: 'POWER_LOST' | 'HEALTH_PROBE_FAILED' };

/**
 * What becomes of a deployment that the agent finds unfinished when it starts: power cut, crash or orderly stop, all one case.
 *
 * @param restarts  how often the agent has already restarted in this state
 */
export function afterRestart(state: ActiveState, restarts: number): Restarted {
  const step = machine[state];
  if (step.afterRestart === 'roll-back') return { kind: 'leave', state: step.failed, code: 'POWER_LOST' };
  if (restarts < step.maxRestarts) return { kind: 'redo', restarts: restarts + 1 };
  // Three power cuts inside one short probation are more likely the app's doing than the electricity company's.
  return { kind: 'leave', state: step.failed, code: state === 'probation' ? 'HEALTH_PROBE_FAILED' : 'POWER_LOST' };
}

import type { Clock } from '../ports.ts';
import type { Deployment, Fault, SoftwareRecord } from '../rules/agent-state.ts';
import type { Effect } from '../rules/deployment-machine.ts';

/** How an effect ended. What it did may be done again: after a power cut it will be. */
export type EffectOutcome =
  | { kind: 'done' }
  | { kind: 'refused'; fault: Fault }
  | { kind: 'failed'; fault: Fault }
  | { kind: 'superseded' };

/** What an effect is given: a deployment and its record as they are on disk, and ways to change, wait and be ended early. */
export type EffectContext = {
  deployment(): Deployment;
  record(): SoftwareRecord;
  /** Durable before it returns. */
  change(patch: Partial<Omit<Deployment, 'id' | 'wish' | 'state'>>): void;
  signal: AbortSignal;
  /** Lets other deployments work meanwhile. Ends early when the signal does. */
  pause(delayMs: number): Promise<void>;
};

export type Effects = Readonly<Record<Effect, (context: EffectContext) => Promise<EffectOutcome>>>;

export const done: EffectOutcome = { kind: 'done' };
export const superseded: EffectOutcome = { kind: 'superseded' };

/** Resolves after `delayMs`, or as soon as the signal ends. */
export function waitFor(delayMs: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const finish = () => {
      cancel();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(delayMs, finish);
    signal.addEventListener('abort', finish);
  });
}

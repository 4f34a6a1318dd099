import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ActiveState, afterEffect, afterRestart, isFinal, machine, type Outcome } from '../../../agent/rules/deployment-machine.ts';
import type { DeploymentState } from '../../../protocol/messages/report.ts';

const states = Object.keys(machine) as DeploymentState[];
const active = states.filter((state): state is ActiveState => !isFinal(state));
const outcomes: readonly Outcome[] = ['done', 'refused', 'failed', 'superseded'];

describe('walking the table', () => {
  test('the states are those of the protocol', () => {
    expect(states).toEqual([
      ...['accepted', 'downloading', 'verifying', 'unpacking', 'activating', 'probation', 'rolling-back'],
      ...['committed', 'rejected', 'failed', 'superseded', 'rolled-back', 'stuck'],
    ]);
  });

  test('each state is reached from the first', () => {
    const reached = new Set<DeploymentState>(['accepted']);
    for (let size = 0; size !== reached.size; ) {
      size = reached.size;
      for (const state of active) if (reached.has(state)) for (const outcome of outcomes) reached.add(afterEffect(state, outcome));
    }
    expect([...reached].sort()).toEqual([...states].sort());
  });

  test('no path comes back to a state, so each ends within seven steps', () => {
    const longest = (state: DeploymentState, steps: number): number =>
      isFinal(state) ? steps : Math.max(...outcomes.map((outcome) => longest(afterEffect(state, outcome), steps + 1)));
    expect(longest('accepted', 0)).toBe(7);
  });

  test('success is reached only through every effect', () => {
    let state: DeploymentState = 'accepted';
    const effects = [];
    while (!isFinal(state)) {
      effects.push(machine[state].effect);
      state = afterEffect(state, 'done');
    }
    expect(effects).toEqual(['reserve', 'download', 'verify', 'unpack', 'activate', 'watch-health']);
    expect(state).toBe('committed');
  });

  test('a newer notice ends the first four without a trace, and has the others undone', () => {
    expect(active.map((state) => afterEffect(state, 'superseded'))).toEqual([
      ...['superseded', 'superseded', 'superseded', 'superseded'],
      ...['rolling-back', 'rolling-back', 'stuck'],
    ]);
  });

  test('nothing is left behind when a deployment ends before activation', () => {
    for (const state of ['accepted', 'downloading', 'verifying', 'unpacking'] as const)
      for (const outcome of ['refused', 'failed', 'superseded'] as const)
        expect(machine[afterEffect(state, outcome)]).toEqual({ final: 'no-change' });
  });
});

describe('after a restart', () => {
  test('an activation is undone, since nobody knows how far it came', () => {
    expect(afterRestart('activating', 0)).toEqual({ kind: 'leave', state: 'rolling-back', code: 'POWER_LOST' });
  });

  test('a probation is tried at most twice again, then the software is held to be the cause', () => {
    expect(afterRestart('probation', 0)).toEqual({ kind: 'redo', restarts: 1 });
    expect(afterRestart('probation', 1)).toEqual({ kind: 'redo', restarts: 2 });
    expect(afterRestart('probation', 2)).toEqual({ kind: 'leave', state: 'rolling-back', code: 'HEALTH_PROBE_FAILED' });
  });

  test('a rollback is taken up again, but not for ever', () => {
    expect(afterRestart('rolling-back', 0).kind).toBe('redo');
    expect(afterRestart('rolling-back', 5)).toMatchObject({ kind: 'leave', state: 'stuck' });
  });
});

test('a deployment always ends, over any mix of outcomes and power cuts', () => {
  const event = fc.oneof(fc.constantFrom(...outcomes), fc.constant('power-cut' as const));
  fc.assert(
    fc.property(fc.infiniteStream(event), (events) => {
      let state: DeploymentState = 'accepted';
      let restarts = 0;
      let steps = 0;
      for (const next of events) {
        if (isFinal(state)) break;
        steps += 1;
        // A download may be cut off a thousand times; its deadline ends it long before (rules/retry-download.ts).
        expect(steps).toBeLessThan(1_100);
        const before: ActiveState = state;
        if (next !== 'power-cut') state = afterEffect(state, next);
        else {
          const restarted = afterRestart(state, restarts);
          if (restarted.kind === 'redo') restarts = restarted.restarts;
          else state = restarted.state;
        }
        if (state !== before) restarts = 0;
      }
      expect(isFinal(state)).toBe(true);
    }),
  );
});

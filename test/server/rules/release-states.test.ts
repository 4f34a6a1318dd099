import { describe, expect, test } from 'vitest';
import {
  decideHalt,
  type Halter,
  nextReleaseState,
  type ReleaseEvent,
  type ReleaseState,
  releaseMachine,
} from '../../../server/rules/release-states.ts';
import { nextWorkOrderState, type WorkOrderState, workOrderMachine } from '../../../server/rules/work-order-states.ts';

const states = Object.keys(releaseMachine) as ReleaseState[];
const events: ReleaseEvent[] = ['registered', 'halted', 'resumed', 'withdrawn'];

describe('the releases’ table', () => {
  const steps = new Map<string, ReleaseState>([
    ['MEASURED registered', 'ADMITTED'],
    ['ADMITTED halted', 'HALTED'],
    ['ADMITTED withdrawn', 'WITHDRAWN'],
    ['HALTED halted', 'HALTED'],
    ['HALTED resumed', 'ADMITTED'],
    ['HALTED withdrawn', 'WITHDRAWN'],
  ]);
  test.for(states.flatMap((state) => events.map((event): [ReleaseState, ReleaseEvent] => [state, event])))('%s × %s', ([state, event]) => {
    expect(nextReleaseState(state, event)).toBe(steps.get(`${state} ${event}`));
  });

  test('every state is reached from MEASURED, by being registered first', () => {
    const reached = new Set<ReleaseState>(['MEASURED']);
    for (const state of reached) for (const event of events) reached.add(nextReleaseState(state, event) ?? state);
    expect([...reached].sort()).toEqual([...states].sort());
    expect(events.filter((event) => nextReleaseState('MEASURED', event) !== undefined)).toEqual(['registered']);
  });
});

describe('halt and resume', () => {
  const cases: [ReleaseState, Halter | null, 'halt' | 'resume', Halter, string][] = [
    ['ADMITTED', null, 'halt', 'provider', 'halt'],
    ['ADMITTED', null, 'halt', 'operator', 'halt'],
    ['ADMITTED', null, 'resume', 'provider', 'unchanged'],
    ['HALTED', 'provider', 'halt', 'provider', 'unchanged'],
    ['HALTED', 'provider', 'halt', 'operator', 'halt'],
    ['HALTED', 'operator', 'halt', 'provider', 'unchanged'],
    ['HALTED', 'operator', 'halt', 'operator', 'unchanged'],
    ['HALTED', 'provider', 'resume', 'provider', 'resume'],
    ['HALTED', 'provider', 'resume', 'operator', 'resume'],
    ['HALTED', 'operator', 'resume', 'operator', 'resume'],
    ['HALTED', 'operator', 'resume', 'provider', 'halted-by-operator'],
    ['WITHDRAWN', null, 'halt', 'operator', 'state'],
    ['WITHDRAWN', null, 'resume', 'operator', 'state'],
    ['MEASURED', null, 'halt', 'operator', 'state'],
    ['MEASURED', null, 'resume', 'operator', 'state'],
  ];
  test.for(cases)('%s, halted by %s: %s by the %s → %s', ([state, haltedBy, wish, by, outcome]) => {
    const decision = decideHalt(state, haltedBy, wish, by);
    expect(decision.kind === 'refuse' ? decision.why : decision.kind).toBe(outcome);
  });
});

describe('the work orders’ table', () => {
  test('an open order is completed or cancelled, and that is the end of it', () => {
    expect(nextWorkOrderState('OPEN', 'completed')).toBe('COMPLETED');
    expect(nextWorkOrderState('OPEN', 'cancelled')).toBe('CANCELLED');
    for (const state of (Object.keys(workOrderMachine) as WorkOrderState[]).filter((one) => one !== 'OPEN'))
      for (const event of ['completed', 'cancelled'] as const) expect(nextWorkOrderState(state, event)).toBeUndefined();
  });
});

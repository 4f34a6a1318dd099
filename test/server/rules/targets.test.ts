import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ContractFacts, decideEligibility } from '../../../server/rules/eligibility.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import {
  decideByContract,
  deliverableStates,
  endedStates,
  eventOfReport,
  nextState,
  type TargetEvent,
  type TargetState,
  targetMachine,
} from '../../../server/rules/targets.ts';
import { t1 } from '../../support/contract-facts.ts';

const states = Object.keys(targetMachine) as TargetState[];
const events: TargetEvent[] = [
  'hold',
  'clear',
  'noticed',
  'committed',
  'wanted',
  'rolledBack',
  'failed',
  'redeliver',
  'reject',
  'suspend',
  'resume',
  'end',
];

describe('the table', () => {
  test('every state is reached from REQUESTED, and every state but the ended ones can still end', () => {
    const reached = new Set<TargetState>(['REQUESTED']);
    for (const state of reached) for (const event of events) reached.add(nextState(state, event) ?? state);
    expect([...reached].sort()).toEqual([...states].sort());
    for (const state of states) expect(nextState(state, 'end')).toBe(endedStates.includes(state) ? undefined : 'TERMINATED');
  });

  test('an ended target never moves again: a new delivery needs a new request', () => {
    for (const state of endedStates) for (const event of events) expect(nextState(state, event)).toBeUndefined();
  });

  test('whatever comes in whatever order, a target is active only after a gateway reported so', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 30 }), (sequence) => {
        let state: TargetState = 'REQUESTED';
        let isCommitted = false;
        for (const event of sequence) {
          // `resume` is asked for only with a running copy (decideByContract)
          if (event === 'resume' && !isCommitted) continue;
          const next = nextState(state, event);
          if (event === 'committed' && next !== undefined) isCommitted = true;
          if (event === 'redeliver') isCommitted = false;
          state = next ?? state;
          if (state === 'ACTIVE' || state === 'UPDATING' || state === 'ROLLED_BACK') expect(isCommitted).toBe(true);
        }
      }),
    );
  });

  test('after an exchange or a reset everything is delivered again, save what is suspended', () => {
    for (const state of deliverableStates) expect(nextState(state, 'redeliver')).toBe(state === 'SUSPENDED' ? 'SUSPENDED' : 'READY');
  });

  test('a target on hold, rejected or ended stands in no notice', () => {
    expect(states.filter((state) => !deliverableStates.includes(state)).sort()).toEqual(['HOLD', 'REJECTED', 'REQUESTED', 'TERMINATED']);
  });
});

describe('what contract facts do to a target (D-15)', () => {
  const decide = (state: TargetState, hasRunningCopy: boolean, facts: Partial<ContractFacts>) => {
    const decision = decideByContract(
      state,
      hasRunningCopy,
      decideEligibility({ ...t1, ...facts }, eligibilityCatalogues.seed, '2026-11-22'),
    );
    return decision.kind === 'keep' ? state : decision.to;
  };
  const t8 = { line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI', denwa: 'OFFICE_TYPE', officeEq: 'yes' } as const;

  test('a new request becomes ready, goes on hold, or is rejected', () => {
    expect(decide('REQUESTED', false, {})).toBe('READY');
    expect(decide('REQUESTED', false, { bflets: true })).toBe('HOLD');
    expect(decide('REQUESTED', false, t8)).toBe('REJECTED');
  });

  test('T16 a hold ends when the type change is completed, not when it is applied for', () => {
    expect(decide('HOLD', false, { bflets: true, typeChanged: 'applied' })).toBe('HOLD');
    expect(decide('HOLD', false, { bflets: true, typeChanged: 'completed' })).toBe('READY');
  });

  test('T23 and T24: a cancelled line ends the service, and so does losing the right to the gateway', () => {
    expect(decide('ACTIVE', true, { lineCancelled: true })).toBe('TERMINATED');
    expect(decide('ACTIVE', true, { hgwCancelled: true })).toBe('TERMINATED');
    expect(decide('ACTIVE', true, { denwa: 'NONE' })).toBe('TERMINATED');
    expect(decide('HOLD', false, { lineCancelled: true })).toBe('TERMINATED');
  });

  test('T8 and T25: office equipment suspends, and its removal brings the software back', () => {
    expect(decide('ACTIVE', true, t8)).toBe('SUSPENDED');
    expect(decide('SUSPENDED', true, { ...t8, officeEq: 'no' })).toBe('ACTIVE');
    expect(decide('SUSPENDED', false, { ...t8, officeEq: 'no' })).toBe('READY');
  });

  test('a change of line or gateway outside the list suspends and ends nothing', () => {
    expect(decide('ACTIVE', true, { line: 'CROSS' })).toBe('SUSPENDED');
    expect(decide('ACTIVE', true, { hgwModel: 'XG-100NE' })).toBe('SUSPENDED');
  });

  test('facts that change nothing leave a running target alone', () => {
    for (const state of ['READY', 'DELIVERING', 'ACTIVE', 'UPDATING', 'ROLLED_BACK', 'FAILED'] as const)
      expect(decide(state, true, {})).toBe(state);
  });
});

test('a failed update leaves the earlier version running; a failed first install leaves nothing', () => {
  expect(eventOfReport('failed', true)).toBe('rolledBack');
  expect(eventOfReport('failed', false)).toBe('failed');
  expect(eventOfReport('stuck', true)).toBe('failed');
  expect(eventOfReport('superseded', true)).toBeUndefined();
});

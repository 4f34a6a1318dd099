import { describe, expect, test } from 'vitest';
import {
  endedSoftware,
  nextSoftwareState,
  type SoftwareEvent,
  type SoftwareState,
  softwareAllows,
  softwareMachine,
  verifyDeliverable,
  verifyTakesReleases,
} from '../../../server/rules/software-states.ts';

const states = Object.keys(softwareMachine) as SoftwareState[];
const events: SoftwareEvent[] = ['measured', 'registered', 'published', 'complained', 'cleared', 'prohibited', 'withdrawn'];

/** DOMAIN §5.3, written out: every state with every event; what is not here is refused. */
const steps = new Map<string, SoftwareState>([
  ['DRAFT measured', 'MEASURED'],
  ['MEASURED measured', 'MEASURED'],
  ['MEASURED registered', 'REGISTERED'],
  ['REGISTERED published', 'PUBLISHED'],
  ['REGISTERED prohibited', 'PROHIBITED'],
  ['REGISTERED withdrawn', 'WITHDRAWN'],
  ['PUBLISHED complained', 'UNDER_REVIEW'],
  ['PUBLISHED prohibited', 'PROHIBITED'],
  ['PUBLISHED withdrawn', 'WITHDRAWN'],
  ['UNDER_REVIEW cleared', 'PUBLISHED'],
  ['UNDER_REVIEW prohibited', 'PROHIBITED'],
  ['UNDER_REVIEW withdrawn', 'WITHDRAWN'],
  ['PROHIBITED withdrawn', 'WITHDRAWN'],
  ['WITHDRAWN prohibited', 'PROHIBITED'],
]);
const everyPair = states.flatMap((state) => events.map((event): [SoftwareState, SoftwareEvent] => [state, event]));

describe('the table', () => {
  test.for(everyPair)('%s × %s', ([state, event]) => {
    expect(nextSoftwareState(state, event)).toBe(steps.get(`${state} ${event}`));
  });

  test('every state is reached from DRAFT', () => {
    const reached = new Set<SoftwareState>(['DRAFT']);
    for (const state of reached) for (const event of events) reached.add(nextSoftwareState(state, event) ?? state);
    expect([...reached].sort()).toEqual([...states].sort());
  });

  test('what has ended never comes back: no event leads to a state in which it is delivered or runs', () => {
    expect(endedSoftware).toEqual(['PROHIBITED', 'WITHDRAWN']);
    for (const state of endedSoftware)
      for (const event of events) expect([undefined, ...endedSoftware]).toContain(nextSoftwareState(state, event));
  });

  test('nobody is delivered a software that was never registered', () => {
    const unregistered: SoftwareState[] = ['DRAFT', 'MEASURED'];
    for (const state of states)
      for (const event of events) {
        const next = nextSoftwareState(state, event);
        if (next !== undefined && softwareAllows[next].newInstalls) expect(unregistered).not.toContain(state);
      }
  });
});

describe('what a state lets happen', () => {
  const codeOf = (check: (state: SoftwareState, software: string) => void, state: SoftwareState) => {
    try {
      check(state, 'heater.acme');
      return 'yes';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test.for([
    ['DRAFT', 'STATE_FORBIDS', 'yes'],
    ['MEASURED', 'STATE_FORBIDS', 'yes'],
    ['REGISTERED', 'STATE_FORBIDS', 'yes'],
    ['PUBLISHED', 'yes', 'yes'],
    ['UNDER_REVIEW', 'ETHICS_REVIEW', 'yes'],
    ['PROHIBITED', 'SOFTWARE_PROHIBITED', 'SOFTWARE_PROHIBITED'],
    ['WITHDRAWN', 'STATE_FORBIDS', 'STATE_FORBIDS'],
  ] as const)('%s: new deliveries %s, new releases %s', ([state, deliveries, releases]) => {
    expect(codeOf(verifyDeliverable, state)).toBe(deliveries);
    expect(codeOf(verifyTakesReleases, state)).toBe(releases);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ApplicationEvent,
  type ApplicationState,
  applicationEvents,
  applicationMachine,
  decideStep,
  nextApplicationState,
  nextEvents,
  stepNames,
} from '../../../server/rules/application.ts';

const states = Object.keys(applicationMachine) as ApplicationState[];
const events = Object.keys(applicationEvents) as ApplicationEvent[];

/** Where a way ends, or at which word it is refused. */
function walk(way: readonly ApplicationEvent[], hasCustomer = true): string {
  let state: ApplicationState = 'APPLIED';
  for (const event of way) {
    const decision = decideStep(state, event, hasCustomer);
    if (decision.kind === 'refuse')
      return decision.why === 'order' ? `${event}: step ${decision.step} waits for ${decision.missing ?? 'nothing, it is over'}` : 'E112';
    if (decision.kind === 'step') state = decision.to;
  }
  return state;
}

describe('the ways of the sheet', () => {
  test.each<[string, ApplicationEvent[]]>([
    ['1→2→3→4→5→6', ['consulted', 'lineOrdered', 'guideSent', 'environmentPrepared', 'deliveryRequested', 'delivered']],
    ['1→3 without a consultation', ['lineOrdered', 'guideSent', 'environmentPrepared', 'deliveryRequested', 'delivered']],
    ['1→3 with line and gateway in use', ['lineInUse', 'environmentPrepared', 'deliveryRequested', 'delivered']],
    ['1→4', ['environmentPrepared', 'deliveryRequested', 'delivered']],
    ['1→5', ['deliveryRequested', 'delivered']],
    ['1→2→4', ['consulted', 'environmentPrepared', 'deliveryRequested', 'delivered']],
    ['1→2→5', ['consulted', 'deliveryRequested', 'delivered']],
  ])('%s is one', (_, way) => expect(walk(way)).toBe('ACTIVE'));
});

describe('what is no way', () => {
  test.each<[string, ApplicationEvent[], string]>([
    ['6 before 5', ['delivered'], 'delivered: step 6 waits for 5'],
    ['6 before 5, however much else is done', ['environmentPrepared', 'delivered'], 'delivered: step 6 waits for 5'],
    ['5 while the guide is on its way', ['lineOrdered', 'deliveryRequested'], 'deliveryRequested: step 5 waits for 3'],
    ['4 while the guide is on its way', ['lineOrdered', 'environmentPrepared'], 'environmentPrepared: step 4 waits for 3'],
    ['5 before the premises of a new line are ready', ['lineInUse', 'deliveryRequested'], 'deliveryRequested: step 5 waits for 4'],
    ['6 right after 3', ['lineOrdered', 'guideSent', 'delivered'], 'delivered: step 6 waits for 4'],
    ['a guide for a line that nobody ordered', ['guideSent'], 'guideSent: step 3 waits for 3'],
    ['2 after 3', ['lineInUse', 'consulted'], 'consulted: step 2 waits for nothing, it is over'],
    ['3 after 4', ['environmentPrepared', 'lineOrdered'], 'lineOrdered: step 3 waits for nothing, it is over'],
    ['4 after 5', ['deliveryRequested', 'environmentPrepared'], 'environmentPrepared: step 4 waits for nothing, it is over'],
    ['anything after the end', ['closed', 'deliveryRequested'], 'deliveryRequested: step 5 waits for nothing, it is over'],
  ])('%s', (_, way, expected) => expect(walk(way)).toBe(expected));

  test('5 without a known お客さまID is E112, from wherever it is asked', () => {
    for (const state of ['APPLIED', 'CONSULTED', 'ENV_READY'] as const)
      expect(decideStep(state, 'deliveryRequested', false)).toEqual({ kind: 'refuse', why: 'customer-unknown' });
    expect(walk(['environmentPrepared', 'deliveryRequested'], false)).toBe('E112');
  });
});

test('5 said again changes nothing, and so does every other word said twice', () => {
  expect(decideStep('REQUESTED', 'deliveryRequested', true)).toEqual({ kind: 'repeat' });
  for (const state of states)
    for (const event of nextEvents(state)) {
      const to = nextApplicationState(state, event) as ApplicationState;
      expect(decideStep(to, event, true)).toEqual({ kind: 'repeat' });
    }
});

describe('the table', () => {
  test('every state is reached from the application, and every way can end', () => {
    const reached = new Set<ApplicationState>(['APPLIED']);
    for (const state of reached) for (const event of nextEvents(state)) reached.add(nextApplicationState(state, event) as ApplicationState);
    expect([...reached].sort()).toEqual([...states].sort());
    for (const state of states.filter((one) => one !== 'CLOSED')) expect(nextApplicationState(state, 'closed')).toBe('CLOSED');
  });

  test('nobody may say `delivered`: it follows from the gateway’s report (D-18)', () => {
    expect(applicationEvents.delivered.by).toEqual([]);
    for (const event of events.filter((one) => one !== 'delivered')) expect(applicationEvents[event].by.length).toBeGreaterThan(0);
  });

  test('it has the sheet’s seven steps, in its words', () => {
    expect(Object.keys(stepNames)).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(stepNames[5].ja).toBe('ソフトウェアの配信申し込み');
  });

  test('whatever is said in whatever order: active only after a request, requested only with a customer', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events), { maxLength: 20 }), fc.boolean(), (way, hasCustomer) => {
        let state: ApplicationState = 'APPLIED';
        let wasRequested = false;
        for (const event of way) {
          const decision = decideStep(state, event, hasCustomer);
          if (decision.kind === 'step') state = decision.to;
          if (decision.kind === 'step' && event === 'deliveryRequested') wasRequested = true;
          if (state === 'ACTIVE') expect(wasRequested).toBe(true);
          if (state === 'REQUESTED') expect(hasCustomer).toBe(true);
        }
      }),
    );
  });

  test('a refusal always says which step, and one that waits says for which', () => {
    for (const state of states)
      for (const event of events) {
        const decision = decideStep(state, event, true);
        if (decision.kind !== 'refuse' || decision.why !== 'order') continue;
        expect(stepNames[decision.step]).toBeDefined();
        if (decision.missing !== undefined) expect(stepNames[decision.missing]).toBeDefined();
      }
  });
});

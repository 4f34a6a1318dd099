import { describe, expect, test } from 'vitest';
import { type ComplaintKind, decideComplaint, decideVerdict, leadsToReview, type Verdict } from '../../../server/rules/ethics.ts';
import { type SoftwareState, softwareAllows, softwareMachine } from '../../../server/rules/software-states.ts';

const states = Object.keys(softwareMachine) as SoftwareState[];
const kinds = Object.keys(leadsToReview) as ComplaintKind[];

describe('a complaint', () => {
  test.each<[ComplaintKind, SoftwareState, boolean, string]>([
    ['content', 'PUBLISHED', false, 'open-case'],
    ['report', 'PUBLISHED', false, 'open-case'],
    ['content', 'UNDER_REVIEW', true, 'join-case'],
    ['report', 'UNDER_REVIEW', true, 'join-case'],
    ['content', 'UNDER_REVIEW', false, 'open-case'], // after a failed review whose removal was declined
    ['billing', 'PUBLISHED', false, 'record'],
    ['quality', 'PUBLISHED', false, 'record'],
    ['other', 'UNDER_REVIEW', true, 'record'],
    ['content', 'DRAFT', false, 'record'],
    ['content', 'MEASURED', false, 'record'],
    ['content', 'REGISTERED', false, 'record'],
    ['content', 'PROHIBITED', false, 'record'],
    ['content', 'WITHDRAWN', false, 'record'],
  ])('about %s while the software is %s (open case: %s): %s', (kind, state, hasOpenCase, expected) => {
    expect(decideComplaint(kind, state, hasOpenCase).kind).toBe(expected);
  });

  test('about money, quality or anything else never opens a case, whatever the state', () => {
    for (const kind of kinds.filter((one) => !leadsToReview[one]))
      for (const state of states) for (const open of [true, false]) expect(decideComplaint(kind, state, open).kind).toBe('record');
  });
});

describe('a verdict', () => {
  test.each<[Verdict, Verdict | null, SoftwareState, string]>([
    ['passed', null, 'UNDER_REVIEW', 'resume'],
    ['failed', null, 'UNDER_REVIEW', 'prohibit'],
    ['passed', null, 'PROHIBITED', 'record'], // an emergency stop meanwhile: a passed review does not undo it
    ['passed', null, 'WITHDRAWN', 'record'],
    ['failed', null, 'WITHDRAWN', 'record'],
    ['passed', 'passed', 'PUBLISHED', 'repeat'],
    ['passed', 'passed', 'UNDER_REVIEW', 'repeat'], // under review again for another case
    ['failed', 'failed', 'UNDER_REVIEW', 'prohibit'], // what a crash or a declined approval left
    ['failed', 'failed', 'PROHIBITED', 'repeat'],
    ['passed', 'failed', 'UNDER_REVIEW', 'refuse'],
    ['failed', 'passed', 'PUBLISHED', 'refuse'],
  ])('%s on a case that is %s, the software %s: %s', (verdict, decided, state, expected) => {
    expect(decideVerdict(verdict, decided, state).kind).toBe(expected);
  });

  test('nothing but a passed review of software under review lets it be delivered again', () => {
    for (const verdict of ['passed', 'failed'] as const)
      for (const decided of [null, 'passed', 'failed'] as const)
        for (const state of states)
          if (decideVerdict(verdict, decided, state).kind === 'resume')
            expect([verdict, decided, state]).toEqual(['passed', null, 'UNDER_REVIEW']);
  });
});

test('D-12: a review pauses new installs and lets running copies stay; a prohibition ends both', () => {
  expect(softwareAllows.UNDER_REVIEW).toMatchObject({ newInstalls: false, runs: true });
  expect(softwareAllows.PROHIBITED).toMatchObject({ newInstalls: false, runs: false });
});

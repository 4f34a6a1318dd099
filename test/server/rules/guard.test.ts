import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RandomId, randomId } from '../../../protocol/fields.ts';
import { decideApproval, mostWithoutApproval } from '../../../server/rules/guard.ts';

test.each([
  [0, 10],
  [999, 10],
  [1_000, 10],
  [1_099, 10],
  [1_100, 11],
  [100_000, 1_000],
])('of %i targets one person may end %i: the larger of ten and one in a hundred', (open, most) => {
  expect(mostWithoutApproval(open)).toBe(most);
});

test('what one person may end is never more than a hundredth, once that is above ten', () => {
  fc.assert(fc.property(fc.nat(10_000_000), (open) => mostWithoutApproval(open) <= Math.max(10, open / 100)));
});

describe('who is a second person', () => {
  const token = (name: string): RandomId => randomId.parse(name.padEnd(16, '0'));
  const [first, alice, bob, alicesOwn, alicesSecond] = ['first', 'alice', 'bob', 'alices', 'again'].map(token) as [
    RandomId,
    RandomId,
    RandomId,
    RandomId,
    RandomId,
  ];
  const issuerOf = new Map([
    [alice, first],
    [bob, first],
    [alicesOwn, alice],
    [alicesSecond, alicesOwn],
  ]);
  const decide = (proposers: RandomId[], approver: RandomId, more: { decision?: 'approved' | 'declined'; nowMs?: number } = {}) =>
    decideApproval({ decision: more.decision ?? null, expiresMs: 1_000, proposers, approver, issuerOf }, more.nowMs ?? 0);
  const sameHand = { kind: 'refuse', why: 'same-hand' };

  test('somebody whose token neither issued the proposer’s nor was issued by it', () => {
    expect(decide([alice], bob)).toEqual({ kind: 'approve' });
    expect(decide([], bob)).toEqual({ kind: 'approve' });
  });

  test('never the proposer, nor anybody on the line of issue, however long', () => {
    for (const approver of [alice, first, alicesOwn, alicesSecond]) expect(decide([alice], approver)).toEqual(sameHand);
    expect(decide([alicesSecond], alice)).toEqual(sameHand);
  });

  test('of several proposers each one counts', () => expect(decide([alice, bob], bob)).toEqual(sameHand));

  test('nothing is approved twice, after a no, or too late', () => {
    expect(decide([alice], bob, { decision: 'approved' })).toEqual({ kind: 'refuse', why: 'approved' });
    expect(decide([alice], bob, { decision: 'declined' })).toEqual({ kind: 'refuse', why: 'declined' });
    expect(decide([alice], bob, { nowMs: 999 })).toEqual({ kind: 'approve' });
    expect(decide([alice], bob, { nowMs: 1_000 })).toEqual({ kind: 'refuse', why: 'expired' });
  });

  test('a circle of issuers, which cannot be, ends the search', () => {
    const circle = new Map([
      [alice, alicesOwn],
      [alicesOwn, alice],
    ]);
    expect(decideApproval({ decision: null, expiresMs: 1, proposers: [alice], approver: bob, issuerOf: circle }, 0)).toEqual({
      kind: 'approve',
    });
  });
});

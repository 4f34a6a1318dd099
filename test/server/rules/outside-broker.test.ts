import { describe, expect, test } from 'vitest';
import { gatewayId } from '../../../protocol/fields.ts';
import { decideReplay } from '../../../server/rules/birth.ts';
import { brokerUser } from '../../../server/rules/broker-user.ts';
import { decideBirthUse } from '../../../server/rules/certificate-use.ts';

describe('which certificate a birth has proven', () => {
  const certificate = (serial: string, keyid = 'k', isUsedBefore = false) => ({ serial, keyid, isUsedBefore });

  test('none in force: nothing of ours explains this connection', () => {
    expect(decideBirthUse([])).toEqual({ kind: 'unexplained' });
  });
  test('a first enrolment, answered once or more often for one key: the key is used, and nothing that the gateway may hold is cut off', () => {
    expect(decideBirthUse([certificate('1')])).toEqual({ kind: 'first-use', serial: '1' });
    expect(decideBirthUse([certificate('1'), certificate('2')])).toEqual({ kind: 'first-use', serial: '1' });
  });
  test('two keys: it may be either', () => {
    expect(decideBirthUse([certificate('1', 'a'), certificate('2', 'b')])).toEqual({ kind: 'nothing-new' });
  });
  test('a renewal: the gateway may still hold the old one only', () => {
    expect(decideBirthUse([certificate('1', 'k', true), certificate('2')])).toEqual({ kind: 'nothing-new' });
  });
});

describe('a birth that the broker had retained', () => {
  const last = { epoch: 'e', bootId: 'b', appliedVersion: 7, appliedSha256: 'n' };
  const birth = { epoch: 'e', bootId: 'b', appliedNotice: { version: 7, sha256: 'n' } };

  test('heard before says nothing new', () => {
    expect(decideReplay(last, birth)).toBe('known');
    expect(decideReplay({ ...last, appliedVersion: null, appliedSha256: null }, { ...birth, appliedNotice: null })).toBe('known');
  });
  test.each([
    ['another boot', { ...birth, bootId: 'c' }],
    ['another notice', { ...birth, appliedNotice: { version: 8, sha256: 'n' } }],
    ['the same version with other bytes', { ...birth, appliedNotice: { version: 7, sha256: 'm' } }],
    ['no notice', { ...birth, appliedNotice: null }],
  ])('with %s was missed and is taken', (_, said) => {
    expect(decideReplay(last, said)).toBe('take');
  });
  test('is taken from a gateway that we have never heard', () => {
    expect(decideReplay({ epoch: null, bootId: null, appliedVersion: null, appliedSha256: null }, birth)).toBe('take');
    expect(decideReplay(undefined, birth)).toBe('take');
  });
  test('of another epoch may be the older of the two: it has to be said again', () => {
    expect(decideReplay(last, { ...birth, epoch: 'x', appliedNotice: null })).toBe('have-it-said-again');
  });
});

test('no gateway can be called as the server is', () => {
  expect(gatewayId.safeParse(brokerUser).success).toBe(false);
});

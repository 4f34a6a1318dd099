import { expect, test } from 'vitest';
import { gatewayId, keyId } from '../../../protocol/fields.ts';
import { decideUse } from '../../../server/rules/certificate-use.ts';
import { decideEnrolment, serialFrom, validityFrom } from '../../../server/rules/enrolment.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const gateway = gatewayId.parse('gw-0001');
const keyid = keyId.parse(`sha256:${'1'.repeat(64)}`);
const otherKey = keyId.parse(`sha256:${'2'.repeat(64)}`);
const good = { commonName: 'gw-0001', keyid };
const live = { tokenMatches: true, expiresAtMs: nowMs + dayMs, boundKey: null, wrongTries: 0, isSpent: false, isVoid: false };

test.each([
  ['first time', {}, good, false, 'issue', undefined],
  ['again with the same key', { boundKey: keyid }, good, false, 'issue', undefined],
  ['after four wrong tries', { wrongTries: 4 }, good, false, 'issue', undefined],
  ['in the last millisecond', { expiresAtMs: nowMs + 1 }, good, false, 'issue', undefined],
  ['expired', { expiresAtMs: nowMs }, good, false, 401, false],
  ['spent', { isSpent: true }, good, false, 401, false],
  ['void', { isVoid: true }, good, false, 401, false],
  ['wrong token', { tokenMatches: false }, good, false, 401, true],
  ['wrong token for a spent invitation', { tokenMatches: false, isSpent: true }, good, false, 401, false],
  ['wrong token for a blocked gateway', { tokenMatches: false }, good, true, 401, true],
  ['blocked', {}, good, true, 403, false],
  ['malformed request', {}, undefined, false, 400, true],
  ['malformed request with a wrong token', { tokenMatches: false }, undefined, false, 401, true],
  ['another name', {}, { ...good, commonName: 'gw-0002' }, false, 400, true],
  ['another key', { boundKey: otherKey }, good, false, 401, true],
  ['after five wrong tries', { wrongTries: 5 }, good, false, 429, false],
  ['after five wrong tries, wrong again', { wrongTries: 5, tokenMatches: false }, good, false, 429, false],
])('enrolment: %s', (_name, invitation, request, isBlocked, status, countsAsTry) => {
  const decision = decideEnrolment(gateway, isBlocked, { ...live, ...invitation }, request, nowMs);
  expect(decision.kind === 'issue' ? ['issue', undefined] : [decision.status, decision.countsAsTry]).toEqual([status, countsAsTry]);
});

test('an unknown gateway looks like a wrong token', () => {
  expect(decideEnrolment(gateway, false, undefined, good, nowMs)).toMatchObject({ status: 401, code: 'ENROLL_TOKEN_REFUSED' });
});

test('a certificate is valid from yesterday for 90 days from now, in whole seconds', () => {
  expect(validityFrom(nowMs + 999)).toEqual({ notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + 90 * dayMs });
});

test('a serial is positive, without leading zeros and at most 16 bytes', () => {
  for (const byte of [0, 0x7f, 0x80, 0xff]) expect(serialFrom(new Uint8Array(16).fill(byte))).toMatch(/^4[0-9a-f]{31}$/);
});

const inForce = { isBlocked: false, isCutOff: false, notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs, isUsedBefore: true };
const expired = (days: number) => ({ notAfterMs: nowMs - days * dayMs });

test.each([
  ['in force', {}, 'allow', 'allow'],
  ['blocked', { isBlocked: true }, 'blocked', 'blocked'],
  ['cut off by a newer one', { isCutOff: true }, 'cut-off', 'cut-off'],
  ['not yet valid', { notBeforeMs: nowMs + 1 }, 'not-yet-valid', 'not-yet-valid'],
  ['expired yesterday', expired(1), 'expired', 'allow'],
  ['expired 1,095 days ago', expired(1_095), 'expired', 'allow'],
  ['expired 1,096 days ago', expired(1_096), 'expired', 'expired'],
])('a certificate that is %s', (_name, standing, toConnect, toRenew) => {
  const verdict = (purpose: 'connect' | 'renew') => {
    const decision = decideUse({ ...inForce, ...standing }, purpose, nowMs);
    return decision.kind === 'refuse' ? decision.why : decision.kind;
  };
  expect([verdict('connect'), verdict('renew')]).toEqual([toConnect, toRenew]);
});

test('one that we never issued is refused, and the first use is told from the later ones', () => {
  expect(decideUse(undefined, 'connect', nowMs)).toEqual({ kind: 'refuse', why: 'unknown' });
  expect(decideUse({ ...inForce, isUsedBefore: false }, 'connect', nowMs)).toEqual({ kind: 'allow', isFirstUse: true });
  expect(decideUse(inForce, 'connect', nowMs)).toEqual({ kind: 'allow', isFirstUse: false });
});

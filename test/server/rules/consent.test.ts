import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { providerId, softwareId } from '../../../protocol/fields.ts';
import {
  type ConsentRecord,
  type ConsentScope,
  consentScopes,
  decideConsent,
  endedByWithdrawal,
  isAbout,
  type RestingTarget,
  scopesInForce,
  scopesTowards,
} from '../../../server/rules/consent.ts';
import { anId } from '../../support/mint.ts';

const hourMs = 3_600_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const acme = providerId.parse('acme');
const heater = softwareId.parse('heater.acme');
const lamp = softwareId.parse('lamp.acme');
const aConsent = (changes: Partial<ConsentRecord> = {}): ConsentRecord => ({
  id: anId('c'),
  provider: acme,
  software: heater,
  scopes: ['delivery'],
  givenAtMs: nowMs - hourMs,
  withdrawn: [],
  ...changes,
});
const takenBack = (scope: ConsentScope, atMs = nowMs) => [{ scope, atMs }];

describe('what is in force', () => {
  test.each<[string, Partial<ConsentRecord>, ConsentScope[]]>([
    ['what was agreed to', { scopes: ['delivery', 'reasonsToProvider'] }, ['delivery', 'reasonsToProvider']],
    [
      'each scope for itself, once one is taken back',
      { scopes: ['delivery', 'reasonsToProvider'], withdrawn: takenBack('reasonsToProvider') },
      ['delivery'],
    ],
    ['nothing, from the moment on in which all is taken back', { withdrawn: takenBack('delivery') }, []],
    ['what is taken back only later', { withdrawn: takenBack('delivery', nowMs + 1) }, ['delivery']],
    ['diagnostics for 24 hours', { scopes: ['diagnostics'], givenAtMs: nowMs - 24 * hourMs + 1 }, ['diagnostics']],
    ['and not a moment longer', { scopes: ['diagnostics'], givenAtMs: nowMs - 24 * hourMs }, []],
    ['delivery without an end', { givenAtMs: nowMs - 100_000 * hourMs }, ['delivery']],
  ])('%s', (_, changes, expected) => expect(scopesInForce(aConsent(changes), nowMs)).toEqual(expected));

  test('a paper counts for its software, or for every software of its provider, and for no other provider', () => {
    const of = { provider: acme, software: heater };
    expect(isAbout(aConsent(), of)).toBe(true);
    expect(isAbout(aConsent(), { ...of, software: lamp })).toBe(false);
    expect(isAbout(aConsent({ software: null }), { ...of, software: lamp })).toBe(true);
    expect(isAbout(aConsent({ software: null }), { ...of, provider: providerId.parse('other') })).toBe(false);
    expect(isAbout(aConsent({ provider: null, software: null, scopes: ['diagnostics'] }), of)).toBe(false);
  });
});

describe('the last consent to a delivery taken back', () => {
  const resting = (changes: Partial<RestingTarget> = {}): RestingTarget => ({
    target: anId('t'),
    provider: acme,
    software: heater,
    isConsentRequired: true,
    ...changes,
  });
  const gone = { withdrawn: takenBack('delivery') };
  test.each<[string, ConsentRecord[], RestingTarget, boolean]>([
    ['ends what rested on it', [aConsent(gone)], resting(), true],
    ['ends nothing while another paper stands', [aConsent(gone), aConsent({ id: anId('d') })], resting(), false],
    ['nor while one for every software of the provider stands', [aConsent(gone), aConsent({ software: null })], resting(), false],
    ['ends nothing of another software', [aConsent(gone)], resting({ software: lamp }), false],
    ['nor of another provider', [aConsent(gone)], resting({ provider: providerId.parse('other') }), false],
    ['ends every software where it was for all', [aConsent({ ...gone, software: null })], resting({ software: lamp }), true],
    ['ends nothing of a provider that needs no application (D-17)', [aConsent(gone)], resting({ isConsentRequired: false }), false],
    [
      'and the reasons taken back end nothing',
      [aConsent({ scopes: ['delivery', 'reasonsToProvider'], withdrawn: takenBack('reasonsToProvider') })],
      resting(),
      false,
    ],
  ])('%s', (_, records, target, ends) => {
    expect(endedByWithdrawal(records, [target], nowMs)).toEqual(ends ? [target.target] : []);
  });

  test('a target that never had a paper is not ended by somebody else’s', () => {
    expect(endedByWithdrawal([aConsent({ ...gone, software: lamp })], [resting()], nowMs)).toEqual([]);
  });

  test('whatever papers there are, what ends has no delivery in force, and what has one does not end', () => {
    const aScope = fc.constantFrom(...consentScopes);
    const aRecord = fc.record({
      id: fc.constant(anId('x')),
      provider: fc.constantFrom(acme, providerId.parse('other')),
      software: fc.constantFrom(heater, lamp, null),
      scopes: fc.uniqueArray(aScope, { minLength: 1 }),
      givenAtMs: fc.integer({ min: nowMs - 48 * hourMs, max: nowMs }),
      withdrawn: fc.array(fc.record({ scope: aScope, atMs: fc.integer({ min: nowMs - hourMs, max: nowMs + hourMs }) }), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(aRecord, { maxLength: 5 }), fc.boolean(), (records, isConsentRequired) => {
        const target = resting({ isConsentRequired });
        const hasDelivery = scopesTowards(records, target, nowMs).has('delivery');
        const ends = endedByWithdrawal(records, [target], nowMs).length > 0;
        expect(ends && hasDelivery).toBe(false);
        if (!isConsentRequired) expect(ends).toBe(false);
      }),
    );
  });
});

describe('a paper registered again', () => {
  test.each<[string, ConsentRecord | undefined, ConsentScope[], string]>([
    ['for the first time', undefined, ['delivery'], 'record'],
    ['word for word', aConsent({ scopes: ['delivery', 'diagnostics'] }), ['diagnostics', 'delivery'], 'repeat'],
    ['with more than it said', aConsent(), ['delivery', 'reasonsToProvider'], 'refuse other-scopes'],
    ['with less than it said', aConsent({ scopes: ['delivery', 'diagnostics'] }), ['delivery'], 'refuse other-scopes'],
    ['after it was taken back', aConsent({ withdrawn: takenBack('delivery') }), ['delivery'], 'refuse withdrawn'],
  ])('%s', (_, known, scopes, expected) => {
    const decision = decideConsent(known, scopes);
    expect(decision.kind === 'refuse' ? `refuse ${decision.why}` : decision.kind).toBe(expected);
  });
});

import { describe, expect, test } from 'vitest';
import { type Digest, digest, keyId, providerId, type Version, version } from '../../../protocol/fields.ts';
import { type Manifest, manifestSchema } from '../../../protocol/statements/manifest.ts';
import { decideRegistration, type MeasuredPackage, type RegistrationCase, verifyAccepted } from '../../../server/rules/registration.ts';
import { aFile, aManifest, aTar } from '../../support/packages.ts';

const files = [aFile('main.js')];
const manifestOf = (overrides: Record<string, unknown> = {}): Manifest => manifestSchema.parse(aManifest(aTar(files), files, overrides));
const digestOf = (index: number): Digest => digest.parse(index.toString(16).padStart(64, '0'));
const v = (text: string): Version => version.parse(text);
const signer = { issuer: keyId.parse(`sha256:${'22'.repeat(32)}`), serial: '1', notAfterMs: Date.parse('2030-01-01') };
let count = 0;
const measured = (overrides: Record<string, unknown> = {}, bytes = 1000): MeasuredPackage => {
  count += 1;
  const manifest = manifestOf(overrides);
  return { sha256: digestOf(count), bytes, installedBytes: manifest.payload.installedBytes, models: manifest.models, manifest, signer };
};
const decide = (packages: MeasuredPackage[], more: Partial<RegistrationCase> = {}) =>
  decideRegistration({ packages, software: undefined, releases: [], unitBytes: 1_000_000, day: '2026-11-22', revokedSigners: [], ...more });
const registered = (text: string, ...packages: MeasuredPackage[]) => ({ version: v(text), packages });

describe('which work a registration is (D-21)', () => {
  test('the first release of a software is 新設, a higher one 変更', () => {
    expect(decide([measured()])).toMatchObject({ work: 'new', isAddition: false });
    const releases = [registered('1.0.0', measured())];
    expect(decide([measured({ version: '1.1.0' })], { releases })).toMatchObject({ work: 'change', isAddition: false });
  });

  test('a package for a further model of a registered release is その他変更, and its bytes count beside the others', () => {
    const releases = [registered('1.0.0', measured({ models: ['PR-400KI'] }, 4_000_000))];
    expect(decide([measured({ models: ['PR-500KI'] }, 1_000_000)], { releases })).toMatchObject({
      work: 'other',
      isAddition: true,
      storedBytes: 5_000_000,
      menu: 2,
    });
  });

  test('the packages of one release are one work, and all of them count', () => {
    const packages = [measured({ models: ['PR-400KI'] }, 3_000_000), measured({ models: ['PR-500KI'] }, 3_000_000)];
    expect(decide(packages)).toMatchObject({ work: 'new', storedBytes: 6_000_000, menu: 2 });
  });
});

describe('what was true at the upload may not be any more', () => {
  const refusal = (run: () => unknown) => {
    try {
      return run();
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  const owned = (provider: string, state: 'PUBLISHED' | 'PROHIBITED' | 'WITHDRAWN') => ({
    software: { provider: providerId.parse(provider), state },
  });
  const cases: [string, string, Partial<RegistrationCase>][] = [
    ['another provider was first', 'SOFTWARE_ID_TAKEN', owned('other', 'PUBLISHED')],
    ['the software was prohibited', 'SOFTWARE_PROHIBITED', owned('acme', 'PROHIBITED')],
    ['the software was withdrawn', 'STATE_FORBIDS', owned('acme', 'WITHDRAWN')],
    ['a higher version was registered', 'VERSION_NOT_HIGHER', { releases: [registered('2.0.0', measured({ version: '2.0.0' }))] }],
    ['the same version was registered for the same model', 'VERSION_NOT_HIGHER', { releases: [registered('1.0.0', measured({}, 2000))] }],
  ];
  test.for(cases)('%s: %s', ([, code, more]) => {
    const other = { title: { ja: '別の内容', en: 'other content' } };
    expect(refusal(() => decide([measured(other)], more))).toBe(code);
  });

  test('the very same package was registered meanwhile: CONFLICT, so that nobody pays for it twice', () => {
    const one = measured();
    expect(refusal(() => decide([one], { releases: [registered('1.0.0', one)] }))).toBe('CONFLICT');
  });

  test('two packages that grew over the largest menu together', () => {
    const packages = [measured({ models: ['PR-400KI'] }, 13_000_000), measured({ models: ['PR-500KI'] }, 12_000_000)];
    expect(refusal(() => decide(packages))).toBe('SIZE_OVER_MENU');
  });
});

describe('the price', () => {
  test('only exactly the sums that a person accepted count; a refusal names both', () => {
    const price = { oneOffYen: 29_480, monthlyYen: 11_000 };
    verifyAccepted(price, price);
    for (const accepted of [
      { ...price, oneOffYen: 29_370 },
      { ...price, oneOffYen: 29_590 },
      { ...price, monthlyYen: 22_000 },
    ])
      expect(() => verifyAccepted(accepted, price)).toThrow(
        expect.objectContaining({ number: 'E722', detail: expect.objectContaining({ expected: price, found: accepted }) }),
      );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Digest, digest, keyId, modelName, providerId, type Version, version } from '../../../protocol/fields.ts';
import { type Manifest, manifestSchema } from '../../../protocol/statements/manifest.ts';
import { type AdmissionCase, decideAdmission } from '../../../server/rules/admission.ts';
import type { Signature } from '../../../server/rules/resign.ts';
import { aFile, aManifest, aTar } from '../../support/packages.ts';

const files = [aFile('main.js')];
const manifestOf = (overrides: Record<string, unknown> = {}): Manifest => manifestSchema.parse(aManifest(aTar(files), files, overrides));
const withSize = (installedBytes: number, overrides: Record<string, unknown> = {}): Manifest => {
  const manifest = manifestOf(overrides);
  return { ...manifest, payload: { ...manifest.payload, installedBytes } };
};
const digestOf = (index: number): Digest => digest.parse(index.toString(16).padStart(64, '0'));
const v = (text: string): Version => version.parse(text);
const signedBy = (serial: string, until = '2030-01-01'): Signature => ({
  issuer: keyId.parse(`sha256:${'22'.repeat(32)}`),
  serial,
  notAfterMs: Date.parse(until),
});
const upload = (bytes = 1000, signer = signedBy('2')) => ({ sha256: digestOf(1), bytes, signer });

function decide(changes: Partial<AdmissionCase> = {}) {
  return decideAdmission({
    manifest: manifestOf(),
    package: upload(),
    software: undefined,
    releases: [],
    unitBytes: 1_000_000,
    day: '2026-11-22',
    revokedSigners: [],
    ...changes,
  });
}
const release = (text: string, ...packages: { bytes: number; installedBytes: number; models: string[] }[]) => ({
  version: v(text),
  packages: packages.map((one, index) => ({ sha256: digestOf(100 + index), manifest: {}, signer: signedBy('1'), ...one })),
});

describe('classes', () => {
  test('W2 and W3: the menu follows the stored bytes, the plan the installed bytes, each from its own edge on', () => {
    expect(decide({ package: upload(4_999_999) })).toMatchObject({ menu: 1 });
    expect(decide({ package: upload(5_000_000) })).toMatchObject({ menu: 2 });
    expect(decide({ manifest: withSize(1_499_999) })).toMatchObject({ plan: 1 });
    expect(decide({ manifest: withSize(1_500_000) })).toMatchObject({ plan: 2 });
  });

  test('W5 and W6: 25,000,000 stored and 7,500,000 installed are refused', () => {
    expect(() => decide({ package: upload(25_000_000) })).toThrow(expect.objectContaining({ number: 'E302' }));
    expect(() => decide({ manifest: withSize(7_500_000) })).toThrow(expect.objectContaining({ number: 'E303' }));
  });

  test('D-03: variants of one release are stored together; the sum may cross the last edge', () => {
    const first = release('1.0.0', { bytes: 13_000_000, installedBytes: 1000, models: ['PR-400KI'] });
    const second = (bytes: number) => decide({ manifest: manifestOf({ models: ['PR-500KI'] }), package: upload(bytes), releases: [first] });
    expect(second(11_999_999)).toMatchObject({ menu: 5, storedBytes: 24_999_999, work: undefined });
    expect(() => second(12_000_000)).toThrow(expect.objectContaining({ number: 'E302' }));
  });

  test('a larger package never has a smaller class', () => {
    const size = fc.integer({ min: 1, max: 7_499_999 });
    fc.assert(
      fc.property(size, size, (one, other) => {
        const [small, large] = [decide({ manifest: withSize(Math.min(one, other)) }), decide({ manifest: withSize(Math.max(one, other)) })];
        return small.kind === 'admit' && large.kind === 'admit' && small.plan <= large.plan;
      }),
    );
  });
});

describe('versions', () => {
  test('a pre-release is lower than its release, and 1.10.0 is higher than 1.9.0', () => {
    const on = (text: string, next: string) =>
      decide({ manifest: manifestOf({ version: next }), releases: [release(text, { bytes: 1, installedBytes: 1, models: ['*'] })] });
    expect(on('1.9.0', '1.10.0')).toMatchObject({ work: 'change' });
    expect(on('1.0.0-rc.1', '1.0.0')).toMatchObject({ work: 'change' });
    expect(() => on('1.0.0', '1.0.0-rc.1')).toThrow(expect.objectContaining({ number: 'E713' }));
  });

  test('one model has one package a release: neither `*` nor a model of another variant comes twice', () => {
    const taken = (models: string[], wanted: string[]) => () =>
      decide({ manifest: manifestOf({ models: wanted }), releases: [release('1.0.0', { bytes: 1, installedBytes: 1, models })] });
    expect(taken(['PR-400KI'], ['RT-500MI'])()).toMatchObject({ kind: 'admit' });
    for (const [models, wanted] of [
      [['PR-400KI'], ['PR-400KI', 'RT-500MI']],
      [['*'], ['PR-400KI']],
      [['PR-400KI'], ['*']],
    ] as const)
      expect(taken([...models], [...wanted])).toThrow(expect.objectContaining({ code: 'VERSION_NOT_HIGHER' }));
  });
});

describe('a renewed signature', () => {
  const manifest = manifestOf({ version: '1.0.0', ext: { one: { a: 1, b: 2 } } });
  const stored = (signer = signedBy('1')) => ({
    sha256: digestOf(100),
    bytes: 4_000_000,
    installedBytes: manifest.payload.installedBytes,
    models: manifest.models,
    manifest: manifest as unknown,
    signer,
  });
  const there = (signer?: Signature) => [{ version: v('1.0.0'), packages: [stored(signer)] }];
  const resign = (changes: Partial<AdmissionCase> = {}) => decide({ manifest, releases: there(), ...changes });

  test('over the same content takes the place of the package before, without a work', () => {
    expect(resign()).toEqual({
      kind: 'resign',
      replaces: digestOf(100),
      storedBytes: 1000,
      installedBytes: manifest.payload.installedBytes,
      menu: 1,
      plan: 1,
      flags: [],
    });
  });

  test('is measured anew: the bytes of the one before do not count, those of the other variants do', () => {
    expect(resign({ package: upload(4_999_999) })).toMatchObject({ kind: 'resign', menu: 1 });
    expect(resign({ package: upload(5_000_000) })).toMatchObject({ kind: 'resign', menu: 2 });
    const variant = { ...stored(), sha256: digestOf(101), manifest: {}, bytes: 4_999_000, installedBytes: 2_000_000 };
    expect(resign({ releases: [{ version: v('1.0.0'), packages: [stored(), variant] }] })).toMatchObject({
      kind: 'resign',
      replaces: digestOf(100),
      storedBytes: 5_000_000,
      menu: 2,
      plan: 2,
    });
  });

  test('is known by its content, in whatever order the database gives the keys', () => {
    const reversed = (value: object): object => Object.fromEntries(Object.entries(value).reverse());
    const turned = { ...reversed(manifest), ext: { one: { b: 2, a: 1 } } };
    expect(resign({ releases: [{ version: v('1.0.0'), packages: [{ ...stored(), manifest: turned }] }] }).kind).toBe('resign');
  });

  test('may come for a release that is not the highest any more, and for models that the catalogue has dropped', () => {
    const higher = release('2.0.0', { bytes: 1, installedBytes: 1, models: ['*'] });
    expect(resign({ releases: [...there(), higher] }).kind).toBe('resign');
    const dropped = { ...manifest, models: [modelName.parse('SG-100KI')] };
    const packages = [{ ...stored(), models: ['SG-100KI'], manifest: dropped }];
    expect(resign({ manifest: dropped, releases: [{ version: v('1.0.0'), packages }] }).kind).toBe('resign');
  });

  test('over anything else is another content, one byte of the payload or one word of the manifest', () => {
    for (const other of [
      { ...manifest, payload: { ...manifest.payload, sha256: digestOf(9) } },
      { ...manifest, title: { ...manifest.title, ja: '別の名前' } },
      { ...manifest, ext: { one: { a: 1, b: 3 } } },
    ])
      expect(() => resign({ manifest: other })).toThrow(expect.objectContaining({ code: 'VERSION_NOT_HIGHER' }));
  });

  test('by another provider, or of a prohibited software, is refused as every upload is', () => {
    const software = { provider: providerId.parse('other'), state: 'PUBLISHED' as const };
    expect(() => resign({ software })).toThrow(expect.objectContaining({ code: 'SOFTWARE_ID_TAKEN' }));
    expect(() => resign({ software: { provider: manifest.provider, state: 'PROHIBITED' } })).toThrow(
      expect.objectContaining({ code: 'SOFTWARE_PROHIBITED' }),
    );
  });

  test('is not undone by the file from before, unless the signer of the renewal was revoked', () => {
    const releases = there(signedBy('3', '2033-01-01'));
    expect(() => resign({ releases })).toThrow(expect.objectContaining({ code: 'SIGNATURE_ENDS_SOONER' }));
    expect(resign({ releases: there(signedBy('3')) }).kind).toBe('resign');
    const revoked = ({ issuer, serial }: Signature) => ({ revokedSigners: [{ issuer, serial }] });
    expect(resign({ releases, ...revoked(signedBy('3')) }).kind).toBe('resign');
    expect(() => resign({ releases, ...revoked(signedBy('4')) })).toThrow(expect.objectContaining({ code: 'SIGNATURE_ENDS_SOONER' }));
    const ofAnother = { ...signedBy('3'), issuer: keyId.parse(`sha256:${'23'.repeat(32)}`) };
    expect(() => resign({ releases, ...revoked(ofAnother) })).toThrow(expect.objectContaining({ code: 'SIGNATURE_ENDS_SOONER' }));
  });
});

test('a prohibited or withdrawn software takes no release', () => {
  const owned = (state: 'PROHIBITED' | 'WITHDRAWN') => () => decide({ software: { provider: manifestOf().provider, state } });
  expect(owned('PROHIBITED')).toThrow(expect.objectContaining({ number: 'E702' }));
  expect(owned('WITHDRAWN')).toThrow(expect.objectContaining({ number: 'E718' }));
});

test('hgw-400 takes 5,999,999 bytes and refuses 6,000,000; hgw-500 takes both', () => {
  expect(decide({ manifest: withSize(5_999_999) })).toMatchObject({ refusedModels: [] });
  const admission = decide({ manifest: withSize(6_000_000) });
  expect(admission.kind === 'admit' && new Set(admission.refusedModels.map(({ model }) => model.slice(0, 6)))).toEqual(
    new Set(['PR-400', 'RV-440', 'RT-400']),
  );
});

import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { accept } from '../../../agent/installer/accept.ts';
import { type InstallOrder, installAnswer } from '../../../agent/installer/messages.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { Manifest } from '../../../protocol/statements/manifest.ts';
import { aFile, aManifest, aTar } from '../../support/packages.ts';

const files = [aFile('main.js', 'x'.repeat(1_000))];
const envelope = Buffer.from('{}');
const aPair = (manifest: Record<string, unknown> = {}, order: Record<string, unknown> = {}, host: Record<string, unknown> = {}) =>
  [
    aManifest(aTar(files), files, manifest) as unknown as Manifest,
    {
      storedBytes: 2_000,
      expected: {
        software: 'heater.acme',
        version: '1.0.0',
        provider: 'acme',
        model: 'PR-400KI',
        firmware: '07.00.0010',
        manifestSha256: createHash('sha256').update(envelope).digest('hex'),
        installedBytes: 1_000,
        ...order,
      },
      limitInstalledBytes: 1_001,
      host: { agent: '1.2.0', node: '20.20.2', arch: 'x64', ...host },
      trust: { providerCas: [], revokedSigners: [], atMs: 0 },
    } as unknown as InstallOrder,
  ] as const;
const codeOf = ([manifest, order]: ReturnType<typeof aPair>, bytes: Uint8Array = envelope) => {
  try {
    accept(manifest, bytes, order);
    return 'accepted';
  } catch (error) {
    if (error instanceof TsugiteError) return `${error.code} ${error.detail['field'] ?? error.detail['what'] ?? ''}`.trim();
    throw error;
  }
};

test('the package that the notice promised, for this gateway, is accepted', () => {
  expect(codeOf(aPair())).toBe('accepted');
  expect(
    codeOf(
      aPair({ models: ['PR-500KI', 'PR-400KI'], requires: { agent: '>=1.0.0', node: '>=20', arch: ['x64'], minFirmware: '07.00.0010' } }),
    ),
  ).toBe('accepted');
});

test.each([
  ['manifestSha256', aPair({}, { manifestSha256: '0'.repeat(64) })],
  ['software', aPair({}, { software: 'other.acme' })],
  ['version', aPair({}, { version: '1.0.1' })],
  ['provider', aPair({}, { provider: 'other' })],
  ['installedBytes', aPair({}, { installedBytes: 999 })],
])('a package that differs from the notice in its %s is refused', (field, pair) => {
  expect(codeOf(pair)).toBe(`PKG_NOTICE_MISMATCH ${field}`);
});

test.each([
  ['PKG_WRONG_MODEL', aPair({ models: ['PR-500KI'] })],
  ['REQUIREMENT_UNMET agent', aPair({ requires: { agent: '^2.0.0' } })],
  ['REQUIREMENT_UNMET node', aPair({ requires: { agent: '*', node: '>=22' } })],
  ['REQUIREMENT_UNMET arch', aPair({ requires: { agent: '*', arch: ['arm64'] } })],
  ['REQUIREMENT_UNMET firmware', aPair({ requires: { agent: '*', minFirmware: '07.00.0011' } })],
])('%s', (expected, pair) => {
  expect(codeOf(pair)).toBe(expected);
});

test('the size limit is exclusive', () => {
  const [manifest, order] = aPair();
  expect(codeOf([manifest, { ...order, limitInstalledBytes: 1_000 }] as never)).toBe('SIZE_OVER_LIMIT');
});

test('a child may give the reasons of packages, sizes and disks, and no others', () => {
  const isTaken = (code: string) => installAnswer.safeParse({ ok: false, code, detail: {} }).success;
  expect(['PKG_MALFORMED', 'SIZE_OVER_LIMIT', 'STORE_IO', 'DISK_FULL', 'INSTALLER_FAILED'].map(isTaken)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect(['SOFTWARE_PROHIBITED', 'ELIG_LINE', 'APP_CRASH_LOOP', 'toString', ''].map(isTaken)).toEqual([false, false, false, false, false]);
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TrustInForce } from '../../../protocol/chain/verify-manifest.ts';
import { keyidOf } from '../../../protocol/dsse.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { noSink } from '../../../protocol/package/payload-reader.ts';
import { buildTsg, splitTsg } from '../../../protocol/package/tsg.ts';
import { verifyPackage } from '../../../protocol/package/verify-package.ts';
import { type Issued, keyFile } from '../../support/openssl.ts';
import {
  aFile,
  aManifest,
  aPackage,
  aTar,
  compress,
  endOfTar,
  inMemory,
  rawEntry,
  type SigningParts,
  signManifest,
} from '../../support/packages.ts';
import { anIntermediate, aRootCa, aSigner, caExtensions, having, leafExtensions, testTime } from '../../support/provider-pki.ts';

let root: Issued;
let intermediate: Issued;
let signing: SigningParts;
let trust: TrustInForce;

beforeAll(() => {
  root = aRootCa();
  intermediate = anIntermediate(root);
  signing = { signer: aSigner(intermediate, { serial: '00AB12' }), chain: [intermediate] };
  trust = { providerCas: [root.pem], revokedSigners: [], atMs: testTime };
}, 60_000);

const files = [aFile('main.js')];
const tar = aTar(files);

async function outcome(bytes: Uint8Array, inForce: TrustInForce = trust): Promise<string> {
  try {
    await verifyPackage(inMemory(bytes), inForce, noSink);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof TsugiteError)) throw error;
    return `${error.detail.layer}: ${error.code}`;
  }
}

async function detailOf(bytes: Uint8Array): Promise<unknown> {
  return verifyPackage(inMemory(bytes), trust, noSink).then(
    () => 'accepted',
    (error: TsugiteError) => error.detail,
  );
}

function signed(manifest: Record<string, unknown>, parts = signing): Buffer {
  return buildTsg(signManifest(manifest, parts), compress(tar), 'br');
}

test('a good package is accepted, and says who made it', async () => {
  const { manifest, signer, manifestBytes } = await verifyPackage(inMemory(aPackage(signing)), trust, noSink);
  expect(manifest.software).toBe('heater.acme');
  expect(JSON.parse(manifestBytes.toString())).toEqual(manifest);
  expect(signer).toMatchObject({
    provider: 'acme',
    organisation: '株式会社アクメ',
    uri: 'urn:tsugite:provider:acme',
    serial: 'ab12',
    notAfter: '2035-01-01T00:00:00Z',
  });
});

test('a package with a gzip payload is accepted', async () => {
  expect(await outcome(aPackage(signing, { encoding: 'gz' }))).toBe('accepted');
});

test('a package put together with GNU tar is accepted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsugite-outer-'));
  writeFileSync(join(folder, 'manifest.dsse.json'), signManifest(aManifest(tar, files), signing));
  writeFileSync(join(folder, 'payload.tar.br'), compress(tar));
  for (const format of ['ustar', 'gnu']) {
    const bytes = execFileSync('tar', ['-b1', `--format=${format}`, '-cf', '-', '-C', folder, 'manifest.dsse.json', 'payload.tar.br']);
    expect(await outcome(bytes)).toBe('accepted');
  }
});

describe('the outer tar', () => {
  test('may be written by any ustar writer', async () => {
    const envelope = rawEntry({ name: 'manifest.dsse.json', content: signManifest(aManifest(tar, files), signing) });
    const payload = rawEntry({ name: 'payload.tar.br', content: compress(tar) });
    expect(await outcome(Buffer.concat([envelope, payload, endOfTar]))).toBe('accepted');
  });

  test('cut anywhere, it is refused', async () => {
    const whole = aPackage(signing);
    for (let length = 0; length < whole.length; length += 97) expect(await outcome(whole.subarray(0, length))).not.toBe('accepted');
  });

  test('the same parts give the same bytes', () => {
    expect(buildTsg(Buffer.from('a'), Buffer.from('b'), 'br')).toEqual(buildTsg(Buffer.from('a'), Buffer.from('b'), 'br'));
  });
});

test('one flipped bit anywhere that counts is refused', async () => {
  const whole = aPackage(signing);
  const layout = splitTsg(inMemory(whole).readAt, whole.length);
  const positions = [0, 124, 257, layout.envelope.offset, layout.envelope.offset + 60, layout.envelope.offset + layout.envelope.length - 3];
  const all = [
    ...positions,
    layout.payload.offset - 512,
    layout.payload.offset,
    layout.payload.offset + layout.payload.length - 1,
    whole.length - 1,
  ];
  for (const position of all) {
    const flipped = Buffer.from(whole);
    flipped[position] = (flipped[position] ?? 0) ^ 1;
    expect(await outcome(flipped), `bit 0 of byte ${position}`).not.toBe('accepted');
  }
});

describe('the signer', () => {
  const under = (request: Parameters<typeof aSigner>[1]) => ({ signer: aSigner(intermediate, request), chain: [intermediate] });
  const withSan = (value: string | undefined) => under({ extensions: having(leafExtensions(), 'subjectAltName', value) });
  const good = () => aManifest(tar, files);

  test('of an unpinned CA is refused', async () => {
    const other = aRootCa({ keyFile: keyFile('other-root'), subject: '/O=Somebody/CN=Other CA' });
    expect(await outcome(signed(good(), { signer: aSigner(other), chain: [] }))).toBe('chain: SIGNING_KEY_UNKNOWN');
  });
  test('that is expired is refused, but was good before', async () => {
    const parts = under({ from: '20200101000000Z', to: '20210101000000Z' });
    expect(await outcome(signed(good(), parts))).toBe('chain: SIGNER_EXPIRED');
  });
  test('of another provider is refused', async () => {
    expect(await outcome(signed(good(), withSan('URI:urn:tsugite:provider:other')))).toBe('manifest: SIGNER_NOT_PROVIDER');
  });
  test.for([
    ['no SAN', undefined],
    ['no URI', 'DNS:acme.example.jp'],
    ['two URIs', 'URI:urn:tsugite:provider:acme,URI:urn:tsugite:provider:other'],
    ['another kind of URI', 'URI:https://acme.example.jp'],
    ['an id that is none', 'URI:urn:tsugite:provider:ACME'],
  ] as const)('with %s is refused', async ([, san]) => {
    expect(await outcome(signed(good(), withSan(san)))).toBe('chain: SIGNER_CHAIN_REFUSED');
  });
  test('with other names beside its one URI is accepted', async () => {
    expect(await outcome(signed(good(), withSan('URI:urn:tsugite:provider:acme,DNS:acme.example.jp')))).toBe('accepted');
  });
  test('with two organisations is refused', async () => {
    expect(await outcome(signed(good(), under({ subject: '/O=Acme/O=Somebody Else/CN=Acme' })))).toBe('chain: SIGNER_CHAIN_REFUSED');
  });
  test('that only the first gate can refuse is refused (name constraints)', async () => {
    const narrow = anIntermediate(root, {
      extensions: [...caExtensions, 'nameConstraints=critical,permitted;dirName:allowed', '[allowed]', 'O=Somebody Else'],
    });
    expect(await detailOf(signed(good(), { signer: aSigner(narrow), chain: [narrow] }))).toMatchObject({ layer: 'chain', gate: 'forge' });
  });
  test('that only the second gate can refuse is refused (key identifier of another issuer)', async () => {
    const stranger = having(leafExtensions(), 'authorityKeyIdentifier', undefined).concat(`2.5.29.35=DER:30168014${'77'.repeat(20)}`);
    expect(await detailOf(signed(good(), under({ extensions: stranger })))).toMatchObject({ layer: 'chain', gate: 'node' });
  });
  test('without an organisation is refused', async () => {
    expect(await outcome(signed(good(), under({ subject: '/CN=Acme' })))).toBe('chain: SIGNER_CHAIN_REFUSED');
  });
  test('that was revoked is refused, and so is one under a revoked intermediate', async () => {
    const { signer } = await verifyPackage(inMemory(aPackage(signing)), trust, noSink);
    const revoke = (issuer: string, serial: string) => ({
      ...trust,
      revokedSigners: [
        { issuer, serial, since: '2026-01-01T00:00:00Z', reason: 'stolen', stop: false },
      ] as unknown as TrustInForce['revokedSigners'],
    });
    expect(await outcome(aPackage(signing), revoke(signer.issuerKeyid, signer.serial))).toBe('chain: SIGNING_KEY_UNKNOWN');
    expect(await outcome(aPackage(signing), revoke(signer.issuerKeyid, 'ffff'))).toBe('accepted');
    const above = keyidOf(new X509Certificate(root.pem).publicKey);
    const serial = new X509Certificate(intermediate.pem).serialNumber.toLowerCase().replace(/^0+/, '');
    expect(await outcome(aPackage(signing), revoke(above, serial))).toBe('chain: SIGNING_KEY_UNKNOWN');
  });
});

test('7,499,999 installed bytes are still within the limit', async () => {
  const draft = aManifest(tar, files);
  expect(await outcome(signed({ ...draft, payload: { ...draft.payload, installedBytes: 7_499_999 } }))).toBe(
    'payload: PKG_PAYLOAD_MISMATCH',
  );
});

test('a file of 25 M is refused before anything is read', async () => {
  const storedBytes = 25_000_000;
  const readAt = (): Uint8Array => {
    throw new Error('was read');
  };
  await expect(verifyPackage({ readAt, storedBytes }, trust, noSink)).rejects.toMatchObject({
    code: 'SIZE_OVER_MENU',
    detail: { layer: 'limits', actual: 25_000_000 },
  });
  await expect(verifyPackage({ readAt, storedBytes: storedBytes - 1 }, trust, noSink)).rejects.toThrow('was read');
});

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TrustInForce } from '../../../protocol/chain/verify-manifest.ts';
import { keyidOf } from '../../../protocol/dsse.ts';
import { TsugiteError } from '../../../protocol/errors.ts';
import { withChecksum } from '../../../protocol/package/canonical-tar.ts';
import { noSink } from '../../../protocol/package/payload-reader.ts';
import { buildTsg, type PackageLayout, splitTsg } from '../../../protocol/package/tsg.ts';
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

/** A package whose envelope went through `change`. */
function withEnvelope(
  change: (envelope: { payloadType: string; payload: string; signatures: Record<string, unknown>[] }) => unknown,
): Buffer {
  const envelope = JSON.parse(signManifest(aManifest(tar, files), signing).toString());
  return buildTsg(Buffer.from(JSON.stringify(change(envelope) ?? envelope)), compress(tar), 'br');
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
  const first = () => rawEntry({ name: 'manifest.dsse.json', content: signManifest(aManifest(tar, files), signing) });
  const second = (name = 'payload.tar.br') => rawEntry({ name, content: compress(tar) });
  const cases: [string, () => Buffer, string][] = [
    ['as it should be', () => Buffer.concat([first(), second(), endOfTar]), 'accepted'],
    ['entries in the other order', () => Buffer.concat([second(), first(), endOfTar]), 'outer: PKG_MALFORMED'],
    ['a third entry', () => Buffer.concat([first(), second(), rawEntry({ name: 'x' }), endOfTar]), 'outer: PKG_MALFORMED'],
    ['the payload twice', () => Buffer.concat([first(), second(), second(), endOfTar]), 'outer: PKG_MALFORMED'],
    [
      'a pax header before',
      () => Buffer.concat([rawEntry({ name: 'x', type: 'x', content: '11 size=99\n' }), first(), second(), endOfTar]),
      'outer: PKG_MALFORMED',
    ],
    [
      'an unsigned folder',
      () => Buffer.concat([rawEntry({ name: 'manifest.json', content: '{}' }), second(), endOfTar]),
      'outer: PKG_UNSIGNED',
    ],
    ['a folder name before', () => Buffer.concat([rawEntry({ name: './manifest.dsse.json' }), second(), endOfTar]), 'outer: PKG_MALFORMED'],
    ['an unknown encoding', () => Buffer.concat([first(), second('payload.tar.zst'), endOfTar]), 'outer: PKG_MALFORMED'],
    ['an inherited property for a name', () => Buffer.concat([first(), second('constructor'), endOfTar]), 'outer: PKG_MALFORMED'],
    ['an empty payload', () => Buffer.concat([first(), rawEntry({ name: 'payload.tar.br' }), endOfTar]), 'outer: PKG_MALFORMED'],
    ['no payload', () => Buffer.concat([first(), endOfTar]), 'outer: PKG_MALFORMED'],
    ['one zero block', () => Buffer.concat([first(), second(), endOfTar.subarray(512)]), 'outer: PKG_TRUNCATED'],
    ['more zeros, as tar pads to a record', () => Buffer.concat([first(), second(), endOfTar, Buffer.alloc(512)]), 'outer: PKG_MALFORMED'],
    ['a byte after the end', () => Buffer.concat([first(), second(), endOfTar, Buffer.from('x')]), 'outer: PKG_MALFORMED'],
    [
      'a link',
      () => Buffer.concat([rawEntry({ name: 'manifest.dsse.json', type: '2', link: '/etc/passwd' }), second(), endOfTar]),
      'outer: PKG_MALFORMED',
    ],
    [
      'a negative size',
      () => Buffer.concat([rawEntry({ name: 'manifest.dsse.json', size: '-0000000001' }), second(), endOfTar]),
      'outer: PKG_MALFORMED',
    ],
    [
      'a size in base 256',
      () => Buffer.concat([rawEntry({ name: 'manifest.dsse.json', size: '\x80\0\0\0\0\0\0\0\0\0\x01' }), second(), endOfTar]),
      'outer: PKG_MALFORMED',
    ],
    [
      'an envelope above its cap',
      () => Buffer.concat([rawEntry({ name: 'manifest.dsse.json', content: Buffer.alloc(200_000) }), second(), endOfTar]),
      'outer: PKG_MALFORMED',
    ],
    ['nothing', () => Buffer.alloc(0), 'outer: PKG_TRUNCATED'],
    ['not a tar', () => Buffer.alloc(5000, 'x'), 'outer: PKG_MALFORMED'],
  ];
  test.for(cases.map(([name, make, expected]) => ({ name, make, expected })))('$name: $expected', async ({ make, expected }) => {
    expect(await outcome(make())).toBe(expected);
  });

  test.for([
    ['a changed bit of the mode', 'checksum', (bytes: Buffer) => bytes.fill('7', 104, 105)],
    ['a checksum that ends in digits', 'checksum', (bytes: Buffer) => bytes.fill('0', 154, 156)],
    [
      'a byte in the padding of the envelope',
      'padding',
      (bytes: Buffer, { payload }: PackageLayout) => bytes.fill(1, payload.offset - 513, payload.offset - 512),
    ],
    ['a second name behind the first', 'name-fields', (bytes: Buffer) => withChecksum(bytes.fill('x', 90, 91).subarray(0, 512))],
    ['a name in the prefix field', 'name-fields', (bytes: Buffer) => withChecksum(bytes.fill('x', 345, 346).subarray(0, 512))],
    ['a link name', 'name-fields', (bytes: Buffer) => withChecksum(bytes.fill('x', 157, 158).subarray(0, 512))],
    ['the type of a link', 'entry-type', (bytes: Buffer) => withChecksum(bytes.fill('1', 156, 157).subarray(0, 512))],
    ['the type of a pax header', 'entry-type', (bytes: Buffer) => withChecksum(bytes.fill('x', 156, 157).subarray(0, 512))],
    ['no magic', 'not-ustar', (bytes: Buffer) => withChecksum(bytes.fill(0, 257, 265).subarray(0, 512))],
  ] as const)('with %s it is refused: %s', async ([, kind, change]) => {
    const bytes = aPackage(signing);
    change(bytes, splitTsg(inMemory(bytes).readAt, bytes.length));
    expect(await detailOf(bytes)).toMatchObject({ layer: 'outer', kind });
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

describe('the envelope', () => {
  const cases: [string, () => Buffer, string][] = [
    ['as it should be', () => withEnvelope(() => undefined), 'accepted'],
    ['no signature', () => withEnvelope((envelope) => ({ ...envelope, signatures: [] })), 'envelope: PKG_UNSIGNED'],
    [
      'two signatures',
      () => withEnvelope(({ signatures, ...rest }) => ({ ...rest, signatures: [...signatures, ...signatures] })),
      'envelope: ENVELOPE_MALFORMED',
    ],
    [
      'no certificates',
      () => withEnvelope(({ signatures: [first], ...rest }) => ({ ...rest, signatures: [{ ...first, x5c: undefined }] })),
      'envelope: ENVELOPE_MALFORMED',
    ],
    ['an unknown field', () => withEnvelope((envelope) => ({ ...envelope, extra: 1 })), 'envelope: ENVELOPE_MALFORMED'],
    [
      'another payload type',
      () => withEnvelope((envelope) => ({ ...envelope, payloadType: 'application/vnd.tsugite.notice+json' })),
      'envelope: SIGNATURE_INVALID',
    ],
    [
      'another payload',
      () => withEnvelope((envelope) => ({ ...envelope, payload: Buffer.from('{}').toString('base64') })),
      'envelope: SIGNATURE_INVALID',
    ],
    [
      "another key's id",
      () =>
        withEnvelope(({ signatures: [first], ...rest }) => ({ ...rest, signatures: [{ ...first, keyid: `sha256:${'0'.repeat(64)}` }] })),
      'envelope: SIGNING_KEY_UNKNOWN',
    ],
    ['not JSON', () => buildTsg(Buffer.from('hello'), compress(tar), 'br'), 'envelope: ENVELOPE_MALFORMED'],
  ];
  test.for(cases.map(([name, make, expected]) => ({ name, make, expected })))('$name: $expected', async ({ make, expected }) => {
    expect(await outcome(make())).toBe(expected);
  });
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

describe('the manifest', () => {
  const cases: [string, Record<string, unknown>, string][] = [
    ['an unknown field', { surprise: 1 }, 'manifest: STATEMENT_MALFORMED'],
    ['a missing field', { health: undefined }, 'manifest: STATEMENT_MALFORMED'],
    ['a path out of /app', { entry: { runtime: 'node', args: ['../x'] } }, 'manifest: STATEMENT_MALFORMED'],
  ];
  test.for(cases)('with %s is refused', async ([, change, expected]) => {
    expect(await outcome(signed(aManifest(tar, files, change)))).toBe(expected);
  });

  test('that asks for 7.5 M or more is refused before anything is unpacked', async () => {
    const draft = aManifest(tar, files);
    const sized = (installedBytes: number) => signed({ ...draft, payload: { ...draft.payload, installedBytes } });
    expect(await outcome(sized(7_500_000))).toBe('limits: SIZE_OVER_PLAN');
    expect(await outcome(sized(7_499_999))).toBe('payload: PKG_PAYLOAD_MISMATCH');
  });
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

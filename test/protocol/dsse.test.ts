import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Envelope, encodeEnvelope, keyidOf, pae, parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import type { KeyId } from '../../protocol/fields.ts';
import { limits } from '../../protocol/limits.ts';
import { addSignature, signStatement } from '../../protocol/signing.ts';

const type = 'application/vnd.tsugite.notice+json';
const one = generateKeyPairSync('ed25519');
const two = generateKeyPairSync('ed25519');
const keysOf = (...keys: KeyObject[]): Map<KeyId, KeyObject> => new Map(keys.map((key) => [keyidOf(key), key]));
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return 'accepted';
};

test('the pre-authentication encoding is that of the DSSE specification', () => {
  // The example of secure-systems-lab/dsse, protocol.md.
  expect(pae('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
});

describe('verifyEnvelope', () => {
  const envelope = signStatement(type, { a: 1 }, [one.privateKey]);

  test('returns exactly the signed bytes', () => {
    expect(verifyEnvelope(envelope, type, keysOf(one.publicKey), 1).toString()).toBe('{"a":1}');
  });

  test('an unknown key is told from a bad signature', () => {
    expect(codeOf(() => verifyEnvelope(envelope, type, keysOf(two.publicKey), 1))).toBe('SIGNING_KEY_UNKNOWN');
    const forged: Envelope = { ...envelope, payload: Buffer.from('{"a":2}').toString('base64') };
    expect(codeOf(() => verifyEnvelope(forged, type, keysOf(one.publicKey), 1))).toBe('SIGNATURE_INVALID');
  });

  test('a statement signed as one kind is not taken for another kind', () => {
    expect(codeOf(() => verifyEnvelope(envelope, 'application/vnd.tsugite.root+json', keysOf(one.publicKey), 1))).toBe('SIGNATURE_INVALID');
    const renamed: Envelope = { ...envelope, payloadType: 'application/vnd.tsugite.root+json' };
    expect(codeOf(() => verifyEnvelope(renamed, renamed.payloadType, keysOf(one.publicKey), 1))).toBe('SIGNATURE_INVALID');
  });

  test('one key that signs twice counts once', () => {
    const [signature] = envelope.signatures;
    const twice: Envelope = { ...envelope, signatures: [...envelope.signatures, ...(signature === undefined ? [] : [signature])] };
    expect(codeOf(() => verifyEnvelope(twice, type, keysOf(one.publicKey, two.publicKey), 2))).toBe('SIGNATURE_INVALID');
  });

  test('two different keys meet a threshold of two', () => {
    const both = addSignature(envelope, two.privateKey);
    expect(verifyEnvelope(both, type, keysOf(one.publicKey, two.publicKey), 2).toString()).toBe('{"a":1}');
  });

  test('a threshold of zero is never met', () => {
    expect(codeOf(() => verifyEnvelope(envelope, type, keysOf(one.publicKey), 0))).toBe('SIGNATURE_INVALID');
  });

  test('a signature made by openssl with an RSA key is accepted', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-dsse-'));
    const payload = Buffer.from('{"v":1}');
    writeFileSync(`${folder}/key.pem`, rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(`${folder}/pae`, pae(type, payload));

    const sig = execFileSync('openssl', ['dgst', '-sha256', '-sign', `${folder}/key.pem`, `${folder}/pae`]).toString('base64');

    const signed: Envelope = {
      payloadType: type,
      payload: payload.toString('base64'),
      signatures: [{ keyid: keyidOf(rsa.publicKey), sig }],
    };
    expect(verifyEnvelope(signed, type, keysOf(rsa.publicKey), 1)).toEqual(payload);
    rmSync(folder, { recursive: true });
  });

  test('another key type in the key map is never a yes', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const renamed: Envelope = { ...envelope, signatures: [{ keyid: keyidOf(ec.publicKey), sig: envelope.signatures[0]?.sig ?? '' }] };
    expect(codeOf(() => verifyEnvelope(renamed, type, keysOf(ec.publicKey), 1))).toBe('SIGNATURE_INVALID');
  });
});

describe('parseEnvelope', () => {
  const good = signStatement(type, { a: 1 }, [one.privateKey]);
  const [signature] = good.signatures;
  const encoded = (change: object): Buffer => Buffer.from(JSON.stringify({ ...good, ...change }));

  test('reads what encodeEnvelope wrote', () => {
    expect(parseEnvelope(encodeEnvelope(good))).toEqual(good);
  });

  test.each<[string, Buffer]>([
    ['an unknown field', encoded({ extra: 1 })],
    ['no signature', encoded({ signatures: [] })],
    [
      'more signatures than anybody needs',
      encoded({ signatures: Array.from({ length: limits.signaturesPerEnvelope + 1 }, () => signature) }),
    ],
    ['base64 without padding', encoded({ payload: 'eyJhIjoxfQ' })],
    ['base64url', encoded({ payload: '_-==' })],
    ['base64 with spare bits set', encoded({ payload: 'eyJhIjoxfR==' })],
    ['base64 with a line break', encoded({ payload: 'eyJh\nIjoxfQ==' })],
    ['four certificates', encoded({ signatures: [{ ...signature, x5c: ['AA==', 'AA==', 'AA==', 'AA=='] }] })],
    ['a key id in upper case', encoded({ signatures: [{ ...signature, keyid: signature?.keyid.toUpperCase() }] })],
    ['not JSON', Buffer.from('{')],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(() => parseEnvelope(bytes))).toBe('ENVELOPE_MALFORMED');
  });

  test('an envelope or a payload above its cap is refused before it is parsed', () => {
    expect(codeOf(() => parseEnvelope(Buffer.alloc(limits.envelopeBytes + 1, 0x20)))).toBe('MESSAGE_TOO_LARGE');
    expect(codeOf(() => parseEnvelope(encoded({ payload: Buffer.alloc(limits.payloadBytes + 1).toString('base64') })))).toBe(
      'MESSAGE_TOO_LARGE',
    );
  });
});

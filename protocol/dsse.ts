/**
 * Dead Simple Signing Envelope v1 (DSSE, secure-systems-lab/dsse), with one addition: a signature may bring its certificate chain (`x5c`).
 * The signature covers type and bytes as they are, so nothing is canonicalised and nothing is parsed before it was verified.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { decodeBase64 } from './base64.ts';
import { TsugiteError } from './errors.ts';
import { base64, type KeyId, keyId } from './fields.ts';
import { toCompactJson } from './json.ts';
import { limits } from './limits.ts';

export type Envelope = z.infer<typeof envelopeSchema>;
export const envelopeSchema = z.strictObject({
  payloadType: z.string().check(z.maxLength(100)),
  payload: base64,
  signatures: z
    .array(
      z.strictObject({
        keyid: keyId,
        sig: base64,
        x5c: z.optional(z.array(base64).check(z.minLength(1), z.maxLength(limits.certificatesPerSignature))),
      }),
    )
    .check(z.minLength(1), z.maxLength(limits.signaturesPerEnvelope)),
});

/** DSSEv1 pre-authentication encoding: the bytes that are signed. Lengths are decimal byte counts. */
export function pae(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType, 'utf8');
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

/**
 * @param bytes  at most `limits.envelopeBytes`
 * @throws TsugiteError ENVELOPE_MALFORMED (`kind`) · MESSAGE_TOO_LARGE
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.byteLength > limits.envelopeBytes)
    throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'envelope', limit: limits.envelopeBytes, actual: bytes.byteLength });
  const parsed = envelopeSchema.safeParse(parseJson(bytes));
  if (!parsed.success)
    throw new TsugiteError('ENVELOPE_MALFORMED', {
      kind: 'schema',
      faults: parsed.error.issues.slice(0, 20).map((issue) => issue.path.join('.')),
    });
  const payloadBytes = payloadOf(parsed.data).length;
  if (payloadBytes > limits.payloadBytes)
    throw new TsugiteError('MESSAGE_TOO_LARGE', { what: 'payload', limit: limits.payloadBytes, actual: payloadBytes });
  return parsed.data;
}

export function encodeEnvelope(envelope: Envelope): Buffer {
  return toCompactJson(envelope);
}

/**
 * Says yes when at least `threshold` different keys of `keys` signed the payload. Ed25519 keys sign the PAE itself; RSA keys sign with
 * RSASSA-PKCS1-v1_5 and SHA-256. For `x5c` signatures the chain check makes the key map.
 *
 * @returns the payload's bytes, proven
 * @throws TsugiteError SIGNING_KEY_UNKNOWN (none of the signers is in `keys`) · SIGNATURE_INVALID (too few good ones, or another payload type)
 */
export function verifyEnvelope(envelope: Envelope, expectedType: string, keys: ReadonlyMap<KeyId, KeyObject>, threshold: number): Buffer {
  const what = statementName(expectedType);
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    throw new TsugiteError('SIGNATURE_INVALID', { what, kind: 'threshold', expected: '>= 1', found: threshold });
  if (envelope.payloadType !== expectedType)
    throw new TsugiteError('SIGNATURE_INVALID', { what, kind: 'payload-type', expected: expectedType, found: envelope.payloadType });
  const payload = payloadOf(envelope);
  const signed = pae(envelope.payloadType, payload);
  const known = envelope.signatures.filter((signature) => keys.has(signature.keyid));
  if (known.length === 0)
    throw new TsugiteError('SIGNING_KEY_UNKNOWN', {
      what,
      expected: [...keys.keys()],
      found: envelope.signatures.map(({ keyid }) => keyid),
    });
  // A set: one key that signs twice must not count twice toward the threshold.
  const good = new Set(known.filter(({ keyid, sig }) => isSignedBy(keys.get(keyid), signed, sig)).map(({ keyid }) => keyid));
  if (good.size < threshold)
    throw new TsugiteError('SIGNATURE_INVALID', { what, kind: 'threshold', expected: threshold, found: good.size });
  return payload;
}

/** True when `sig` (base64) is the key's signature over `signed`. Key types other than Ed25519 and RSA are never true. */
export function isSignedBy(key: KeyObject | undefined, signed: Uint8Array, sig: string): boolean {
  const signature = decodeBase64(sig);
  if (key === undefined || signature === undefined) return false;
  if (key.asymmetricKeyType === 'ed25519') return verify(null, signed, key, signature);
  if (key.asymmetricKeyType === 'rsa') return verify('sha256', signed, key, signature);
  return false;
}

/** SHA-256 over the SubjectPublicKeyInfo, RFC 5280 §4.1.2.7. */
export function keyidOf(key: KeyObject): KeyId {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return keyId.parse(
    `sha256:${createHash('sha256')
      .update(publicKey.export({ type: 'spki', format: 'der' }))
      .digest('hex')}`,
  );
}

/** The payload before any proof: for counting and for a signer's own use. What is trusted comes from `verifyEnvelope`. */
export function payloadOf(envelope: Envelope): Buffer {
  return Buffer.from(envelope.payload, 'base64');
}

/** `notice` of `application/vnd.tsugite.notice+json`: names the statement in an error, so that the sentence speaks of the right thing. */
function statementName(payloadType: string): string {
  return /^application\/vnd\.tsugite\.(\w+)\+json$/.exec(payloadType)?.[1] ?? 'envelope';
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new TsugiteError('ENVELOPE_MALFORMED', { kind: 'not-json' }, { cause });
  }
}

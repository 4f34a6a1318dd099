import { type KeyObject, sign } from 'node:crypto';
import { type Envelope, keyidOf, pae, payloadOf } from './dsse.ts';
import { toCompactJson } from './json.ts';

/** Wraps a statement in an envelope signed by each of `keys` (Ed25519 or RSA private keys, in this order). */
export function signStatement(payloadType: string, statement: unknown, keys: readonly KeyObject[]): Envelope {
  const payload = toCompactJson(statement);
  return { payloadType, payload: payload.toString('base64'), signatures: keys.map((key) => signatureOf(key, pae(payloadType, payload))) };
}

/** Adds one more signature over the same payload: how an m-of-n root collects its signers one by one. */
export function addSignature(envelope: Envelope, key: KeyObject): Envelope {
  return { ...envelope, signatures: [...envelope.signatures, signatureOf(key, pae(envelope.payloadType, payloadOf(envelope)))] };
}

function signatureOf(key: KeyObject, signed: Buffer): Envelope['signatures'][number] {
  const algorithm = key.asymmetricKeyType === 'rsa' ? 'sha256' : null;
  return { keyid: keyidOf(key), sig: sign(algorithm, signed, key).toString('base64') };
}

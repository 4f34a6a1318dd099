/** Root: who may sign notices, which provider CAs and server CAs are pinned, which signers are revoked (DESIGN §4; TUF 1.0.33 §5.3 for its rotation). */
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as z from 'zod/mini';
import { keyidOf } from '../dsse.ts';
import { TsugiteError } from '../errors.ts';
import { base64, ext, httpsUrl, type KeyId, keyId, line, pem, positive, utcTime } from '../fields.ts';
import { limits } from '../limits.ts';
import { readMessage } from '../read.ts';

export const rootType = 'application/vnd.tsugite.root+json';

const role = z.strictObject({ keyids: z.array(keyId).check(z.minLength(1), z.maxLength(16)), threshold: positive });

export type RevokedSigner = z.infer<typeof revokedSigner>;
export const revokedSigner = z.strictObject({
  issuer: keyId,
  serial: z.string().check(z.regex(/^[1-9a-f][0-9a-f]{0,39}$/)),
  since: utcTime,
  reason: line(200),
  stop: z.boolean(),
});

export type Root = z.infer<typeof rootSchema>;
export const rootSchema = z.strictObject({
  v: z.literal(1),
  version: positive,
  issuedAt: utcTime,
  expires: utcTime,
  keys: z.record(keyId, z.strictObject({ type: z.literal('ed25519'), spki: base64 })),
  roles: z.strictObject({ root: role, notice: role }),
  providerCas: z.array(pem).check(z.maxLength(8)),
  serverCas: z.array(pem).check(z.minLength(1), z.maxLength(8)),
  packageBases: z.array(httpsUrl).check(z.maxLength(8)),
  revokedSigners: z.array(revokedSigner).check(z.maxLength(1000)),
  ext: z.optional(ext),
});

/**
 * @param payload  proven by `verifyEnvelope`, or about to be (a root names the keys of its own signatures)
 * @throws TsugiteError STATEMENT_MALFORMED · JSON_NOT_COMPACT · MESSAGE_TOO_LARGE
 */
export function parseRoot(payload: Uint8Array): Root {
  const root = readMessage(payload, { schema: rootSchema, capBytes: limits.payloadBytes, what: 'root', code: 'STATEMENT_MALFORMED' });
  for (const name of ['root', 'notice'] as const) keysOfRole(root, name);
  return root;
}

/**
 * The public keys of a role, by key id.
 *
 * @throws TsugiteError STATEMENT_MALFORMED when a key is missing, is not Ed25519, is named twice or under another key's id, or the threshold cannot be met
 */
export function keysOfRole(root: Root, name: 'root' | 'notice'): ReadonlyMap<KeyId, KeyObject> {
  const { keyids, threshold } = root.roles[name];
  const keys = new Map(keyids.map((id) => [id, keyOf(root, id)] as const));
  if (keys.size !== keyids.length || threshold > keys.size)
    throw malformed(`roles.${name}`, 'key named twice, or threshold above the number of keys');
  return keys;
}

function keyOf(root: Root, id: KeyId): KeyObject {
  const entry = root.keys[id];
  if (entry === undefined) throw malformed(`keys.${id}`, 'named by a role, but missing');
  const key = importKey(entry.spki, id);
  if (key.asymmetricKeyType !== 'ed25519' || keyidOf(key) !== id) throw malformed(`keys.${id}`, 'not the Ed25519 key of this id');
  return key;
}

function importKey(spki: string, id: KeyId): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new TsugiteError(
      'STATEMENT_MALFORMED',
      { what: 'root', faults: [{ field: `keys.${id}.spki`, fault: 'not a public key' }] },
      { cause },
    );
  }
}

function malformed(field: string, fault: string): TsugiteError {
  return new TsugiteError('STATEMENT_MALFORMED', { what: 'root', faults: [{ field, fault }] });
}

/** The operator's offline root keys, in the hands of whoever runs the test: next roots as a ceremony would sign them, or a thief with too few keys. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { encodeEnvelope, keyidOf, parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { parseRoot, type Root } from '../../protocol/statements/root.ts';
import { signRoot } from './mint.ts';

export function firstRoot(serverData: string): Root {
  return parseRoot(payloadOf(parseEnvelope(readFileSync(path.join(serverData, 'pki/root.1.dsse.json')))));
}

export function offlineKeys(serverData: string): KeyObject[] {
  return [1, 2, 3].map((number) => createPrivateKey(readFileSync(path.join(serverData, `offline-root/root-${number}.key.pem`))));
}

/** @param changes  besides the version, which is one more than that of `root` */
export function nextRoot(root: Root, changes: Partial<Root>, signers: readonly KeyObject[]): { root: Root; envelope: Buffer } {
  const next = { ...root, version: root.version + 1, ...changes };
  return { root: next, envelope: encodeEnvelope(signRoot(next, signers)) };
}

/** The part of a root that names `key` as the only notice key. */
export function withNoticeKey(root: Root, key: KeyObject): Pick<Root, 'keys' | 'roles'> {
  const id = keyidOf(key);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' }).toString('base64');
  const others = Object.entries(root.keys).filter(([known]) => (root.roles.root.keyids as string[]).includes(known));
  return {
    keys: { ...Object.fromEntries(others), [id]: { type: 'ed25519', spki } },
    roles: { ...root.roles, notice: { keyids: [id], threshold: 1 } },
  };
}

import { type Envelope, payloadOf, verifyEnvelope } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { keysOfRole, parseRoot, type Root, rootType } from '../../protocol/statements/root.ts';

/**
 * Accepts the successor of `current`, as TUF 1.0.33 §5.3.4–5.3.5: signed by the threshold of both, and its version exactly one more. Expiry is
 * ignored on the way; only the newest root's expiry counts, when something is to be installed.
 *
 * @throws TsugiteError SIGNING_KEY_UNKNOWN · SIGNATURE_INVALID · STATEMENT_MALFORMED · ROOT_CHAIN_BROKEN
 */
export function verifyNextRoot(current: Root, envelope: Envelope): Root {
  verifyBy(current, envelope);
  const next = verifyFirstRoot(envelope);
  if (next.version !== current.version + 1)
    throw new TsugiteError('ROOT_CHAIN_BROKEN', { kind: 'version', expected: current.version + 1, found: next.version });
  return next;
}

/**
 * Reads a root that was handed over by a trusted way (the invitation, our own disk). It must still be signed by its own threshold: a root that
 * its own keys do not sign could never be followed by another.
 *
 * @throws TsugiteError as `verifyNextRoot`
 */
export function verifyFirstRoot(envelope: Envelope): Root {
  const root = parseRoot(payloadOf(envelope));
  verifyBy(root, envelope);
  return root;
}

/**
 * True when a notice key of `before` is no longer one of `after`: it may have been stolen, so what was learned only from notices (version mark,
 * clock floor) is forgotten. Otherwise one far-future notice of the thief would lock out every honest one for ever (fast-forward attack).
 */
export function losesNoticeKey(before: Root, after: Root): boolean {
  return before.roles.notice.keyids.some((keyid) => !after.roles.notice.keyids.includes(keyid));
}

function verifyBy(root: Root, envelope: Envelope): void {
  verifyEnvelope(envelope, rootType, keysOfRole(root, 'root'), root.roles.root.threshold);
}

/** The first root of an installation: which keys are trusted for what, and for how long (DESIGN §4). */
import { type KeyId, toUtcTime } from '../../protocol/fields.ts';
import type { Root } from '../../protocol/statements/root.ts';

const validYears = 2;
const rootThreshold = 2;

export type PublicKey = { readonly keyid: KeyId /** SubjectPublicKeyInfo, base64. */; readonly spki: string };

export function makeFirstRoot(of: {
  readonly rootKeys: readonly PublicKey[];
  readonly noticeKey: PublicKey;
  readonly providerCaPem: string;
  readonly serverCaPem: string;
  readonly packageBases?: readonly string[];
  readonly nowMs: number;
}): Root {
  const expires = new Date(of.nowMs);
  expires.setUTCFullYear(expires.getUTCFullYear() + validYears);
  return {
    v: 1,
    version: 1,
    issuedAt: toUtcTime(of.nowMs),
    expires: toUtcTime(expires.getTime()),
    keys: Object.fromEntries([...of.rootKeys, of.noticeKey].map(({ keyid, spki }) => [keyid, { type: 'ed25519' as const, spki }])),
    roles: {
      root: { keyids: of.rootKeys.map(({ keyid }) => keyid), threshold: rootThreshold },
      notice: { keyids: [of.noticeKey.keyid], threshold: 1 },
    },
    providerCas: [of.providerCaPem],
    serverCas: [of.serverCaPem],
    packageBases: [...(of.packageBases ?? [])],
    revokedSigners: [],
  };
}

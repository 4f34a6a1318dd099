/** May a package take the place of one that says the same under another signature (`tsugite resign`; DESIGN §5)? */
import { TsugiteError } from '../../protocol/errors.ts';
import { type KeyId, toUtcTime } from '../../protocol/fields.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';

export type Signature = { readonly issuer: KeyId; readonly serial: string; readonly notAfterMs: number };

/**
 * The one that says the same, the payload's digest included. As values: jsonb has not kept the order of keys, and their order says nothing.
 * A manifest names its models, and a release has one package a model: there is never a second one.
 */
export function findSameContent<One extends { readonly manifest: unknown }>(manifest: Manifest, packages: readonly One[]): One | undefined {
  const text = textOf(manifest);
  return packages.find((one) => textOf(one.manifest) === text);
}

/**
 * A renewed signature lasts at least as long as the one it replaces, so a file from before a renewal, deposited again, cannot undo it.
 * That a revoked signer's certificate would have lasted longer counts for nothing.
 *
 * @throws TsugiteError SIGNATURE_ENDS_SOONER
 */
export function verifyRenewal(
  stored: Signature,
  renewed: Signature,
  revokedSigners: readonly { readonly issuer: string; readonly serial: string }[],
): void {
  const isRevoked = revokedSigners.some(({ issuer, serial }) => issuer === stored.issuer && serial === stored.serial);
  if (!isRevoked && renewed.notAfterMs < stored.notAfterMs)
    throw new TsugiteError('SIGNATURE_ENDS_SOONER', { expected: toUtcTime(stored.notAfterMs), found: toUtcTime(renewed.notAfterMs) });
}

function textOf(value: unknown): string {
  return JSON.stringify(value, (_, entry: unknown) =>
    typeof entry === 'object' && entry !== null && !Array.isArray(entry)
      ? Object.fromEntries(Object.entries(entry).sort(([left], [right]) => (left < right ? -1 : 1)))
      : entry,
  );
}

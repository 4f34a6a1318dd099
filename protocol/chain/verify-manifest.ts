/** From the bytes of `manifest.dsse.json` to a proven manifest: envelope, certificate chain through both gates, signature, schema. */
import type { X509Certificate } from 'node:crypto';

import { type Envelope, keyidOf, parseEnvelope, verifyEnvelope } from '../dsse.ts';
import { TsugiteError } from '../errors.ts';
import { type Manifest, manifestType, parseManifest } from '../statements/manifest.ts';
import type { RevokedSigner } from '../statements/root.ts';
import { readCertificate } from './certificate.ts';
import { forgeGate } from './forge-gate.ts';
import { inLayer } from './layers.ts';
import { nodeGate } from './node-gate.ts';
import { readSigner, type Signer } from './signer.ts';

export type TrustInForce = {
  /** Pinned provider CAs, PEM. */
  readonly providerCas: readonly string[];
  readonly revokedSigners: readonly RevokedSigner[];
  /** Trusted time, unix milliseconds. */
  readonly atMs: number;
};

export type VerifiedManifest = { readonly manifest: Manifest; readonly manifestBytes: Buffer; readonly signer: Signer };

/**
 * @param envelopeBytes  checked against its cap first
 * @throws TsugiteError with `layer` envelope · chain · manifest: MESSAGE_TOO_LARGE · ENVELOPE_MALFORMED · PKG_UNSIGNED · SIGNATURE_INVALID ·
 *   SIGNING_KEY_UNKNOWN · SIGNER_CHAIN_REFUSED · SIGNER_EXPIRED · SIGNER_NOT_PROVIDER · STATEMENT_MALFORMED · JSON_NOT_COMPACT
 */
export function verifyManifestEnvelope(envelopeBytes: Uint8Array, trust: TrustInForce): VerifiedManifest {
  const { envelope, chainDer } = inLayer('envelope', () => readSignedEnvelope(envelopeBytes));
  const { path, signer } = inLayer('chain', () => proveChain(chainDer, trust));
  const leafKey = (path[0] as X509Certificate).publicKey;
  const manifestBytes = inLayer('envelope', () => verifyEnvelope(envelope, manifestType, new Map([[signer.keyid, leafKey]]), 1));
  return inLayer('manifest', () => {
    const manifest = parseManifest(manifestBytes);
    if (manifest.provider !== signer.provider)
      throw new TsugiteError('SIGNER_NOT_PROVIDER', { expected: manifest.provider, found: signer.provider });
    return { manifest, manifestBytes, signer };
  });
}

/** Exactly one signature, and its certificates. */
function readSignedEnvelope(bytes: Uint8Array): { envelope: Envelope; chainDer: Buffer[] } {
  const envelope = parseUnlessUnsigned(bytes);
  const [signature, ...others] = envelope.signatures;
  if (signature === undefined || others.length > 0) throw malformed('signature-count', { expected: 1, found: envelope.signatures.length });
  if (signature.x5c === undefined) throw malformed('x5c-missing', {});
  return { envelope, chainDer: signature.x5c.map((text) => Buffer.from(text, 'base64')) };
}

/** A manifest that was wrapped but never signed deserves its own answer; the rest is the envelope parser's to refuse. */
function parseUnlessUnsigned(bytes: Uint8Array): Envelope {
  try {
    return parseEnvelope(bytes);
  } catch (error) {
    if (error instanceof TsugiteError && error.code === 'ENVELOPE_MALFORMED' && hasNoSignature(bytes))
      throw new TsugiteError('PKG_UNSIGNED', { expected: 1, found: 0 }, { cause: error });
    throw error;
  }
}

function hasNoSignature(bytes: Uint8Array): boolean {
  try {
    const { signatures } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { signatures?: unknown };
    return Array.isArray(signatures) && signatures.length === 0;
  } catch {
    return false;
  }
}

function proveChain(
  chainDer: readonly Buffer[],
  { providerCas, revokedSigners, atMs }: TrustInForce,
): { path: X509Certificate[]; signer: Signer } {
  forgeGate(chainDer, providerCas, atMs);
  const path = nodeGate(chainDer, providerCas, atMs);
  path.slice(0, -1).forEach((link, depth) => {
    const issuer = keyidOf((path[depth + 1] as X509Certificate).publicKey);
    const { serial } = readCertificate(link.raw);
    const revoked = revokedSigners.find((entry) => entry.issuer === issuer && entry.serial === serial);
    if (revoked !== undefined)
      throw new TsugiteError('SIGNING_KEY_UNKNOWN', { kind: 'revoked', issuer, serial, since: revoked.since, reason: revoked.reason });
  });
  return { path, signer: readSigner(path) };
}

function malformed(kind: string, detail: Record<string, unknown>): TsugiteError {
  return new TsugiteError('ENVELOPE_MALFORMED', { kind, what: 'manifest', ...detail });
}

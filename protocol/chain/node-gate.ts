/**
 * Second gate: OpenSSL, through node:crypto, checks names and signatures of every link and the identity of the pinned CA; the rules that
 * `checkIssued` and `verify` leave out are read from the DER here. Shares no code with the first gate (forge-gate.ts): a mistake in one
 * of them must not let a chain in. Name constraints are judged by the first gate alone.
 */
import { X509Certificate } from 'node:crypto';
import { TsugiteError } from '../errors.ts';
import { type Certificate, extensionOf, extensionOid, readCertificate } from './certificate.ts';
import { childrenOf, readDer, readOid, tag } from './der.ts';

const maxPath = 3;
const codeSigning = '1.3.6.1.5.5.7.3.3';
const rsaWithSha2 = new Set(['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13']);
const knownExtensions: ReadonlySet<string> = new Set(Object.values(extensionOid));

/** First bits of KeyUsage (RFC 5280 §4.2.1.3), in its first octet. */
const usageBit = { digitalSignature: 0x80, keyCertSign: 0x04 } as const;

type Link = { readonly x509: X509Certificate; readonly fields: Certificate };

/**
 * @param chainDer    leaf, then each issuer, without the pinned CA
 * @param providerCas pinned CAs, PEM; the path may end at any of them
 * @param atMs        trusted time
 * @returns the proven path, leaf first, pinned CA last
 * @throws TsugiteError SIGNER_CHAIN_REFUSED · SIGNER_EXPIRED · SIGNING_KEY_UNKNOWN, with `gate: 'node'`
 */
export function nodeGate(chainDer: readonly Uint8Array[], providerCas: readonly string[], atMs: number): X509Certificate[] {
  if (chainDer.length < 1 || chainDer.length > maxPath - 1) throw refused('chain-length', { found: chainDer.length });
  const chain = chainDer.map((der) => readLink(der));
  const last = chain[chain.length - 1] as Link;
  const pinned = providerCas.flatMap(readPinned);
  const anchor = pinned.find(
    (ca) =>
      !chain.some(({ x509 }) => x509.fingerprint256 === ca.fingerprint256) && last.x509.checkIssued(ca) && last.x509.verify(ca.publicKey),
  );
  if (anchor === undefined) {
    const isInside = pinned.some((ca) => chain.some(({ x509 }) => x509.fingerprint256 === ca.fingerprint256));
    if (isInside) throw refused('pinned-ca-in-chain', {});
    const expected = pinned.map((ca) => ca.subject);
    throw new TsugiteError('SIGNING_KEY_UNKNOWN', { kind: 'ca-not-pinned', gate: 'node', expected, found: last.x509.issuer });
  }
  const path = [...chain, readLink(anchor.raw)];
  path.forEach((link, depth) => {
    checkLink(link, atMs);
    if (depth === 0) checkLeaf(link);
    else checkIssuer(link, path[depth - 1] as Link, depth);
  });
  return path.map(({ x509 }) => x509);
}

function readLink(der: Uint8Array): Link {
  const fields = readCertificate(Buffer.from(der));
  try {
    return { x509: new X509Certificate(der), fields };
  } catch (cause) {
    throw refused('not-a-certificate', {}, cause);
  }
}

/** A pinned CA that cannot be read ends no path; the others still may. */
function readPinned(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}

function checkLink({ x509, fields }: Link, atMs: number): void {
  if (atMs < fields.notBeforeMs || atMs > fields.notAfterMs)
    throw new TsugiteError('SIGNER_EXPIRED', { kind: 'validity', gate: 'node', from: x509.validFrom, to: x509.validTo });
  if (!fields.signatureAlgorithm.whole.equals(fields.signedSignatureAlgorithm.whole)) throw refused('signature-algorithm', {});
  const algorithm = readOid(childrenOf(fields.signatureAlgorithm)[0] ?? fields.signatureAlgorithm);
  if (!rsaWithSha2.has(algorithm)) throw refused('signature-algorithm', { found: algorithm });

  const key = x509.publicKey;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa') throw refused('key-type', { found: key.asymmetricKeyType });
  if (bits < 2048 || bits > 8192) throw refused('key-size', { found: bits });
  if (key.asymmetricKeyDetails?.publicExponent !== 65537n) throw refused('key-exponent', {});

  const oids = fields.extensions.map(({ oid }) => oid);
  if (new Set(oids).size !== oids.length) throw refused('duplicate-extension', {});
  const unknown = fields.extensions.find(({ oid, isCritical }) => isCritical && !knownExtensions.has(oid));
  if (unknown !== undefined) throw refused('unknown-critical-extension', { found: unknown.oid });
}

function checkLeaf({ fields }: Link): void {
  if (!keyPurposes(fields)?.includes(codeSigning)) throw refused('eku', {});
  const usage = keyUsage(fields);
  if (usage === undefined || (usage & usageBit.digitalSignature) === 0) throw refused('key-usage', {});
  if (basicConstraints(fields)?.isCa === true || (usage & usageBit.keyCertSign) !== 0) throw refused('leaf-is-ca', {});
}

/** @param depth  1 for the issuer of the leaf, so `depth - 1` CAs stand between */
function checkIssuer({ x509, fields }: Link, below: Link, depth: number): void {
  // checkIssued compares names and key identifiers, and wants keyCertSign where there is a keyUsage.
  if (!below.x509.checkIssued(x509) || !below.x509.verify(x509.publicKey)) throw refused('link', { depth });
  const constraints = basicConstraints(fields);
  if (constraints?.isCa !== true) throw refused('issuer-is-no-ca', { depth });
  if (constraints.pathLength !== undefined && depth - 1 > constraints.pathLength) throw refused('path-length', { depth });
  if (keyPurposes(fields)?.includes(codeSigning) === false) throw refused('eku-nesting', { depth });
}

function keyPurposes(fields: Certificate): string[] | undefined {
  const extension = extensionOf(fields, extensionOid.extKeyUsage);
  return extension && childrenOf(readDer(extension.value)).map(readOid);
}

function keyUsage(fields: Certificate): number | undefined {
  const extension = extensionOf(fields, extensionOid.keyUsage);
  if (extension === undefined) return undefined;
  const bits = readDer(extension.value);
  if (bits.tag !== tag.bitString || bits.content.length < 2) throw refused('key-usage', {});
  return bits.content[1];
}

function basicConstraints(fields: Certificate): { isCa: boolean; pathLength: number | undefined } | undefined {
  const extension = extensionOf(fields, extensionOid.basicConstraints);
  if (extension === undefined) return undefined;
  const parts = childrenOf(readDer(extension.value));
  const length = parts.find((part) => part.tag === tag.integer);
  return {
    isCa: parts[0]?.tag === tag.boolean && parts[0].content[0] === 0xff,
    pathLength: length && Number.parseInt(length.content.toString('hex') || '0', 16),
  };
}

function refused(kind: string, detail: Record<string, unknown>, cause?: unknown): TsugiteError {
  return new TsugiteError('SIGNER_CHAIN_REFUSED', { kind, gate: 'node', ...detail }, { cause });
}

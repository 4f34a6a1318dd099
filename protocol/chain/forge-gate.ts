/**
 * First gate: node-forge's path validation (RFC 5280 §6), the strictest of the JavaScript validators for RSA, and beside it what it leaves
 * to its caller: key usage for code signing, hash and key strength, length of the path. The second gate (node-gate.ts) shares no code with this one.
 */
import { TsugiteError } from '../errors.ts';
import forge from './forge-x509.ts';

const maxCertificates = 3; // leaf and pinned CA counted
const minKeyBits = 2048;
const maxKeyBits = 8192; // one verification with a huge key takes seconds
const signatureOids: readonly (string | undefined)[] = [
  forge.pki.oids.sha256WithRSAEncryption,
  forge.pki.oids.sha384WithRSAEncryption,
  forge.pki.oids.sha512WithRSAEncryption,
];

/** Extensions that this gate or the signer's identity check reads itself, so forge need not refuse them when critical. */
const understood: readonly (string | undefined)[] = [forge.pki.oids.extKeyUsage, forge.pki.oids.subjectAltName];

/**
 * @param chainDer    leaf, then each issuer, without the pinned CA
 * @param providerCas pinned CAs, PEM; the path may end at any of them
 * @param atMs        trusted time
 * @throws TsugiteError SIGNER_CHAIN_REFUSED · SIGNER_EXPIRED · SIGNING_KEY_UNKNOWN, with `gate: 'forge'`
 */
export function forgeGate(chainDer: readonly Uint8Array[], providerCas: readonly string[], atMs: number): void {
  if (chainDer.length === 0 || chainDer.length + 1 > maxCertificates)
    throw refused('chain-length', { expected: `1–${maxCertificates - 1}`, found: chainDer.length });
  const chain = chainDer.map(parseDer);
  const last = chain.at(-1) as forge.pki.Certificate;
  const anchors = providerCas.map(derOfPem).filter((der) => isIssuedUnderNameOf(last, der));
  const outside = anchors.filter((der) => !chainDer.some((link) => Buffer.compare(link, der) === 0));
  if (anchors.length > 0 && outside.length === 0) throw refused('pinned-ca-in-chain', {});

  let failure = notPinned(providerCas.flatMap(namesOf), nameOf(last.issuer));
  for (const anchor of outside) {
    try {
      verifyPath(chain, parseDer(anchor), atMs);
      return;
    } catch (error) {
      // Another pinned CA of the same name may still end the path; if none does, the last reason is told.
      failure = error instanceof TsugiteError ? error : refused('path', {}, error);
    }
  }
  throw failure;
}

function verifyPath(chain: readonly forge.pki.Certificate[], anchor: forge.pki.Certificate, atMs: number): void {
  if (!isSignedBy(chain.at(-1) as forge.pki.Certificate, anchor))
    throw notPinned([nameOf(anchor.subject)], `${nameOf(anchor.subject)}, with another key`);
  let failure: TsugiteError | undefined;
  try {
    forge.pki.verifyCertificateChain(forge.pki.createCaStore([anchor]), [...chain, anchor], {
      validityCheckDate: new Date(atMs),
      verify(verified, depth, certs) {
        const cert = (certs as forge.pki.Certificate[])[depth] as forge.pki.Certificate;
        failure = verified === true ? faultOf(cert, depth === 0) : undefined;
        return failure === undefined && verified === true;
      },
    });
  } catch (cause) {
    throw failure ?? fromForge(cause);
  }
}

/** What forge does not look at. */
function faultOf(cert: forge.pki.Certificate, isLeaf: boolean): TsugiteError | undefined {
  if (!signatureOids.includes(cert.signatureOid) || cert.siginfo.algorithmOid !== cert.signatureOid)
    return refused('signature-algorithm', { found: cert.signatureOid });
  const { n, e } = cert.publicKey as forge.pki.rsa.PublicKey;
  if (n.bitLength() < minKeyBits || n.bitLength() > maxKeyBits) return refused('key-size', { found: n.bitLength() });
  if (e.toString(10) !== '65537') return refused('key-exponent', { found: e.toString(10) });

  const ids = cert.extensions.map((extension: { id: string }) => extension.id);
  if (new Set(ids).size !== ids.length) return refused('duplicate-extension', {});
  const eku = cert.getExtension('extKeyUsage') as { codeSigning?: boolean } | null;
  // Nesting: a CA that was made for something else only (say TLS servers) must not vouch for code.
  if (eku !== null && eku.codeSigning !== true) return refused(isLeaf ? 'eku' : 'eku-nesting', {});
  if (!isLeaf) return undefined;
  if (eku === null) return refused('eku', { found: 'none' });
  const usage = cert.getExtension('keyUsage') as { digitalSignature?: boolean; keyCertSign?: boolean } | null;
  if (usage?.digitalSignature !== true) return refused('key-usage', {});
  const basic = cert.getExtension('basicConstraints') as { cA?: boolean } | null;
  if (basic?.cA === true || usage.keyCertSign === true) return refused('leaf-is-ca', {});
  return undefined;
}

function parseDer(der: Uint8Array): forge.pki.Certificate {
  try {
    const cert = forge.pki.certificateFromAsn1(forge.asn1.fromDer(Buffer.from(der).toString('latin1'), true));
    return withUnderstood(cert);
  } catch (cause) {
    throw refused('not-an-rsa-certificate', {}, cause);
  }
}

/** A pinned CA that forge cannot read (another key type) ends no path; the others still may. */
function isIssuedUnderNameOf(cert: forge.pki.Certificate, caDer: Buffer): boolean {
  try {
    return cert.isIssuer(parseDer(caDer));
  } catch {
    return false;
  }
}

function derOfPem(pem: string): Buffer {
  const [message] = forge.pem.decode(pem);
  return Buffer.from(message?.body ?? '', 'latin1');
}

function withUnderstood(cert: forge.pki.Certificate): forge.pki.Certificate {
  for (const extension of cert.extensions as { id: string; critical: boolean }[])
    if (understood.includes(extension.id)) extension.critical = false;
  return cert;
}

function isSignedBy(cert: forge.pki.Certificate, issuer: forge.pki.Certificate): boolean {
  try {
    return issuer.verify(cert);
  } catch {
    return false; // forge throws where it means no
  }
}

function fromForge(cause: unknown): TsugiteError {
  const reason = cause as { message?: string; error?: string; notBefore?: Date; notAfter?: Date };
  if (reason.error === 'forge.pki.CertificateExpired')
    return new TsugiteError('SIGNER_EXPIRED', { kind: 'validity', gate: 'forge', from: reason.notBefore, to: reason.notAfter }, { cause });
  return refused('path', { fault: reason.message }, cause);
}

function refused(kind: string, detail: Record<string, unknown>, cause?: unknown): TsugiteError {
  return new TsugiteError('SIGNER_CHAIN_REFUSED', { kind, gate: 'forge', ...detail }, { cause });
}

function notPinned(expected: readonly string[], found: string): TsugiteError {
  return new TsugiteError('SIGNING_KEY_UNKNOWN', { kind: 'ca-not-pinned', gate: 'forge', expected, found });
}

function namesOf(caPem: string): string[] {
  try {
    return [nameOf(parseDer(derOfPem(caPem)).subject)];
  } catch {
    return []; // not for this gate: see isIssuedUnderNameOf
  }
}

function nameOf(name: forge.pki.Certificate['issuer']): string {
  return name.attributes.map((attribute) => `${attribute.shortName ?? attribute.type}=${attribute.value}`).join(', ');
}

/** The ASN.1 of enrolment (RFC 7030): opens the PKCS#10 request, builds the gateway's certificate and the certs-only PKCS#7 answer. */
import 'reflect-metadata';
import { createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { decodeBase64 } from '../../protocol/base64.ts';
import { keyidOf } from '../../protocol/dsse.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import type { CertificateMaker, CertificateRequest, IssuedCertificate } from '../ports/gateways.ts';
import type { Authority } from '../ports.ts';

const ecdsaSha256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const clientAuth = '1.3.6.1.5.5.7.3.2';
/** Our own request is 250 bytes; openssl's with a long subject 500. */
const maxRequestBytes = 8 * 1024;

export function makeCertificateMaker(authority: Authority): CertificateMaker {
  return { readRequest: readCertificateRequest, issue: (subject) => issueGatewayCertificate(authority, subject), certsOnly };
}

async function readCertificateRequest(body: Uint8Array): Promise<CertificateRequest | undefined> {
  const der = decodeBase64(
    Buffer.from(body)
      .toString('latin1')
      .replace(/[\r\n]/g, ''),
  );
  if (der === undefined || der.length > maxRequestBytes) return undefined;
  try {
    const request = new x509.Pkcs10CertificateRequest(der);
    const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
    const isP256 = publicKey.asymmetricKeyType === 'ec' && publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    const names = request.subjectName.toJSON().flatMap((part) => Object.entries(part));
    const [[type, values] = []] = names;
    const commonName = names.length === 1 && type === 'CN' && values?.length === 1 ? values[0] : undefined;
    if (!isP256 || commonName === undefined || !(await request.verify())) return undefined;
    return { commonName, publicKey, keyid: keyidOf(publicKey) };
  } catch {
    return undefined;
  }
}

/** A leaf for TLS clients only, small on the wire: every connect of a gateway carries it. Nothing of the request but the key goes into it. */
export async function issueGatewayCertificate(
  authority: Authority,
  subject: { gateway: GatewayId; publicKey: KeyObject; serial: string; notBeforeMs: number; notAfterMs: number },
): Promise<IssuedCertificate> {
  const ca = new x509.X509Certificate(authority.certPem);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', authority.key.export({ type: 'pkcs8', format: 'der' }), ecdsaSha256, false, [
    'sign',
  ]);
  const publicKey = await webcrypto.subtle.importKey('spki', subject.publicKey.export({ type: 'spki', format: 'der' }), ecdsaSha256, true, [
    'verify',
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: subject.serial,
    subject: [{ CN: [subject.gateway] }],
    issuer: ca.subjectName,
    notBefore: new Date(subject.notBeforeMs),
    notAfter: new Date(subject.notAfterMs),
    publicKey,
    signingKey,
    signingAlgorithm: ecdsaSha256,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([clientAuth]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca, false),
    ],
  });
  return { der: Buffer.from(certificate.rawData), pem: `${certificate.toString('pem')}\n` };
}

function certsOnly(certificates: readonly (Uint8Array | string)[]): string {
  const bag = new x509.X509Certificates(certificates.map((certificate) => new x509.X509Certificate(certificate)));
  const base64 = Buffer.from(bag.export('raw')).toString('base64');
  return `${(base64.match(/.{1,64}/g) ?? []).join('\n')}\n`;
}

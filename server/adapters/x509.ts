/** Certificates of our own authorities, built with @peculiar/x509. It builds only: nothing is validated here (protocol/chain does that). */
import 'reflect-metadata';
import { createPrivateKey, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { Authority } from '../ports.ts';

export const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
export const rsa3072 = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 3072,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;
type KeyKind = typeof p256 | typeof rsa3072;

/** A gateway without a clock boots in 1970 and has to reach its server to learn the time (DESIGN §4). */
export const beginningOfTime = new Date(0);
/** The last second that UTCTime can hold (RFC 5280 §4.1.2.5). */
const endOfAuthorities = new Date('2049-12-31T23:59:59Z');

/** Every connect of a gateway carries the names of its authority three times, so those have no `organisation`. */
export type Name = { readonly organisation?: string; readonly commonName: string };

/** Hex without leading zeros, positive, 127 bits. */
export function randomSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = 0x40 | ((bytes[0] as number) & 0x3f);
  return bytes.toString('hex');
}

export async function makeAuthority(kind: KeyKind, name: Name, notBefore: Date): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(kind, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomSerial(),
    name: toName(name),
    notBefore,
    notAfter: endOfAuthorities,
    keys,
    signingAlgorithm: kind,
    extensions: [
      // Path length 0: this authority signs leaves, and no one below it may sign others.
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certPem: toPem(certificate), key: await exportKey(keys.privateKey) };
}

export type LeafRequest = {
  readonly subject: Name;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extendedKeyUsage: 'serverAuth' | 'clientAuth' | 'codeSigning';
  readonly alternativeNames: readonly { readonly type: 'dns' | 'ip' | 'url'; readonly value: string }[];
};

export async function issueLeaf(authority: Authority, request: LeafRequest): Promise<{ pem: string; serial: string }> {
  const ca = new x509.X509Certificate(authority.certPem);
  const caKind = authority.key.asymmetricKeyType === 'rsa' ? rsa3072 : p256;
  const signingKey = await webcrypto.subtle.importKey('pkcs8', authority.key.export({ type: 'pkcs8', format: 'der' }), caKind, false, [
    'sign',
  ]);
  const leafKind = request.publicKey.asymmetricKeyType === 'rsa' ? rsa3072 : p256;
  const publicKey = await webcrypto.subtle.importKey('spki', request.publicKey.export({ type: 'spki', format: 'der' }), leafKind, true, [
    'verify',
  ]);
  const serial = randomSerial();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serial,
    subject: toName(request.subject),
    issuer: ca.subjectName,
    notBefore: request.notBefore,
    notAfter: request.notAfter,
    publicKey,
    signingKey,
    signingAlgorithm: caKind,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[request.extendedKeyUsage]]),
      new x509.SubjectAlternativeNameExtension([...request.alternativeNames]),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(ca, false),
    ],
  });
  return { pem: toPem(certificate), serial };
}

/** As DER parts, not as text: a comma in a company's name must stay a comma. */
function toName({ organisation, commonName }: Name): x509.JsonName {
  const parts = organisation === undefined ? [{ CN: commonName }] : [{ O: organisation }, { CN: commonName }];
  return parts.map((part) =>
    Object.fromEntries(Object.entries(part).map(([type, value]) => [type, [{ utf8String: value }]])),
  ) as unknown as x509.JsonName;
}

function toPem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem').replaceAll('\r\n', '\n').trim()}\n`;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<KeyObject> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
}

/** Real certification authorities and certificates for tests of the gateways' side, made fresh each run. */
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type GatewayId, gatewayId } from '../../protocol/fields.ts';
import { issueGatewayCertificate } from '../../server/adapters/est-crypto.ts';
import type { Authority } from '../../server/ports.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const dayMs = 86_400_000;

export type Identity = { keyPem: string; key: KeyObject; certPem: string; serial: string };

export async function anAuthority(name: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: `4${randomBytes(8).toString('hex').slice(1)}`,
    name: `CN=${name}`,
    notBefore: new Date(0),
    notAfter: new Date('2049-12-31T23:59:59Z'),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return { certPem: `${certificate.toString('pem')}\n`, key: createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }) };
}

/** @param addresses  more than the machine's own, at which the server is reached */
export async function aServerIdentity(
  authority: Authority,
  addresses: readonly string[] = [],
): Promise<{ certPem: string; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const ca = new x509.X509Certificate(authority.certPem);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', authority.key.export({ type: 'pkcs8', format: 'der' }), algorithm, false, [
    'sign',
  ]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: '51',
    subject: 'CN=localhost',
    issuer: ca.subjectName,
    notBefore: new Date(0),
    notAfter: new Date('2049-12-31T23:59:59Z'),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'dns', value: 'localhost' },
        { type: 'ip', value: '127.0.0.1' },
        ...addresses.map((value) => ({ type: 'ip' as const, value })),
      ]),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const keyPem = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string;
  return { certPem: `${certificate.toString('pem')}\n`, keyPem };
}

/** A gateway's certificate as EST would issue it, without the way there. */
export async function anIdentity(
  authority: Authority,
  name: string,
  { serial = `4${randomBytes(8).toString('hex').slice(1)}`, notBeforeMs = Date.now() - dayMs, notAfterMs = Date.now() + 90 * dayMs } = {},
): Promise<Identity & { gateway: GatewayId }> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const gateway = gatewayId.parse(name);
  const { pem } = await issueGatewayCertificate(authority, {
    gateway,
    publicKey: createPublicKey(privateKey),
    serial,
    notBeforeMs,
    notAfterMs,
  });
  return { gateway, key: privateKey, keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, certPem: pem, serial };
}

/** A PKCS#10 request in base64, as EST takes it. */
export async function aRequest(
  commonName: string,
  { curve = 'P-256' }: { curve?: 'P-256' | 'P-384' } = {},
): Promise<{ base64: string; keyPem: string }> {
  const keys = await webcrypto.subtle.generateKey({ name: 'ECDSA', namedCurve: curve }, true, ['sign', 'verify']);
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
  });
  return { base64: Buffer.from(request.rawData).toString('base64'), keyPem: await privatePem(keys) };
}

/** The same key asks again. */
export async function requestWith(keyPem: string, commonName: string): Promise<string> {
  const algorithmOfKey = { name: 'ECDSA', namedCurve: 'P-256' };
  const privateKey = createPrivateKey(keyPem);
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKey.export({ type: 'pkcs8', format: 'der' }), algorithmOfKey, true, [
      'sign',
    ]),
    publicKey: await webcrypto.subtle.importKey(
      'spki',
      createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
      algorithmOfKey,
      true,
      ['verify'],
    ),
  };
  const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: [{ CN: [commonName] }], keys, signingAlgorithm: algorithm });
  return Buffer.from(request.rawData).toString('base64');
}

/** What an EST client keeps of an answer. */
export function certificateIn(pkcs7Base64: string): { certPem: string; serial: string; subject: string } {
  const [certificate] = new x509.X509Certificates(Buffer.from(pkcs7Base64, 'base64'));
  if (certificate === undefined) throw new Error('no certificate in the answer');
  return {
    certPem: `${certificate.toString('pem')}\n`,
    serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, ''),
    subject: certificate.subject,
  };
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string;
}

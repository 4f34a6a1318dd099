/** The provider's key and certificates: made, taken from PKCS#12, read from PEM. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { providerUri } from '../../protocol/chain/signer.ts';
import { keyidOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { KeyId, ProviderId } from '../../protocol/fields.ts';
import { readBytes, readText } from './files.ts';

export type NewKey = { readonly keyPem: string; readonly csrPem: string };

const keyBits = 3072;

/** A new RSA key and a PKCS#10 request for it: organisation in the subject, provider id as the one URI of the SAN. */
export function makeKeyAndRequest(provider: ProviderId, organisation: string): NewKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: keyBits, publicExponent: 65537 });
  const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const key = forge.pki.privateKeyFromPem(keyPem) as forge.pki.rsa.PrivateKey;
  const csr = forge.pki.createCertificationRequest();
  csr.publicKey = forge.pki.setRsaPublicKey(key.n, key.e);
  const utf8 = forge.asn1.Type.UTF8 as unknown as forge.asn1.Class; // the typings name the wrong enumeration
  csr.setSubject([
    { name: 'organizationName', value: organisation, valueTagClass: utf8 },
    { name: 'commonName', value: provider, valueTagClass: utf8 },
  ]);
  const extensions = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', codeSigning: true },
    { name: 'subjectAltName', altNames: [{ type: 6, value: providerUri(provider) }] },
  ];
  csr.setAttributes([{ name: 'extensionRequest', extensions }] as never);
  csr.sign(key, forge.md.sha256.create());
  return { keyPem, csrPem: forge.pki.certificationRequestToPem(csr).replaceAll('\r\n', '\n') };
}

/** The id of the key that a request is for, from the request itself. @throws TsugiteError KEY_UNUSABLE */
export function keyidOfRequest(path: string): KeyId {
  try {
    const { publicKey } = forge.pki.certificationRequestFromPem(readText(path));
    return keyidOf(createPublicKey(forge.pki.publicKeyToPem(publicKey as forge.pki.rsa.PublicKey)));
  } catch (cause) {
    if (cause instanceof TsugiteError) throw cause;
    throw unusable(path, 'not a PKCS#10 request in PEM', cause);
  }
}

/**
 * Key and certificates of a PKCS#12 file (RFC 7292), the certificate of the key first, its issuers after it.
 *
 * @throws TsugiteError KEY_UNUSABLE
 */
export function readPkcs12(
  path: string,
  passwordPath: string | undefined,
): { keyPem: string; chainPem: string; certificates: X509Certificate[] } {
  const password = passwordPath === undefined ? '' : readText(passwordPath).replace(/\r?\n$/, '');
  const { keyPem, certificates } = openPkcs12(path, readBytes(path), password);
  const key = createPrivateKey(keyPem);
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) throw unusable(path, 'no certificate of the key in it');
  const chain = [leaf];
  for (let issuer = issuerOf(leaf, certificates); issuer !== undefined && !chain.includes(issuer); issuer = issuerOf(issuer, certificates))
    chain.push(issuer);
  return { keyPem: key.export({ type: 'pkcs8', format: 'pem' }).toString(), chainPem: chain.map(String).join(''), certificates: chain };
}

/** @throws TsugiteError KEY_UNUSABLE */
export function readPrivateKey(path: string, passwordPath?: string): KeyObject {
  const passphrase = passwordPath === undefined ? undefined : readText(passwordPath).replace(/\r?\n$/, '');
  const pem = readBytes(path);
  try {
    return createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  } catch (cause) {
    throw unusable(path, 'not a private key, or a wrong passphrase', cause);
  }
}

/** The certificates of a PEM file, in its order. @throws TsugiteError KEY_UNUSABLE */
export function readCertificates(path: string): X509Certificate[] {
  const blocks = readText(path).match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw unusable(path, 'no certificate in it');
  try {
    return blocks.map((pem) => new X509Certificate(pem));
  } catch (cause) {
    throw unusable(path, 'not a certificate', cause);
  }
}

function openPkcs12(path: string, der: Buffer, password: string): { keyPem: string; certificates: X509Certificate[] } {
  const { pkcs8ShroudedKeyBag = '', keyBag = '', certBag = '' } = forge.pki.oids;
  try {
    const bundle = forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(der.toString('latin1')), password);
    const bags = (bagType: string) => bundle.getBags({ bagType })[bagType] ?? [];
    const key = [...bags(pkcs8ShroudedKeyBag), ...bags(keyBag)][0]?.key;
    if (key === undefined || key === null) throw new Error('no RSA key in it');
    const certificates = bags(certBag).flatMap(({ cert }) => (cert ? [new X509Certificate(forge.pki.certificateToPem(cert))] : []));
    return { keyPem: forge.pki.privateKeyToPem(key), certificates };
  } catch (cause) {
    // forge derives PBES2 keys from one-byte characters only.
    const hint = /^[\x20-\x7e]*$/.test(password) ? '' : '; a password of ASCII characters is needed';
    throw unusable(path, `${cause instanceof Error ? cause.message : 'form'}${hint}`, cause);
  }
}

function issuerOf(certificate: X509Certificate, others: readonly X509Certificate[]): X509Certificate | undefined {
  return others.find((other) => other !== certificate && certificate.checkIssued(other) && certificate.verify(other.publicKey));
}

function unusable(path: string, at: string, cause?: unknown): TsugiteError {
  return new TsugiteError('KEY_UNUSABLE', { path, at }, { cause });
}

/** A provider CA and signers of a test run: good ones, and the ways in which a chain goes wrong. */
import { type CertificateRequest, type Issued, issue, keyFile } from './openssl.ts';

export const testTime = Date.UTC(2026, 10, 22);

export const leafExtensions = (provider = 'acme'): string[] => [
  'basicConstraints=critical,CA:FALSE',
  'keyUsage=critical,digitalSignature',
  'extendedKeyUsage=codeSigning',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
  `subjectAltName=URI:urn:tsugite:provider:${provider}`,
];

export const caExtensions: readonly string[] = [
  'basicConstraints=critical,CA:TRUE',
  'keyUsage=critical,keyCertSign,cRLSign',
  'subjectKeyIdentifier=hash',
  'authorityKeyIdentifier=keyid',
];

/** Replaces the line of an extension, or drops it (`undefined`). */
export function having(lines: readonly string[], name: string, value: string | undefined): string[] {
  const others = lines.filter((line) => !line.startsWith(`${name}=`));
  return value === undefined ? others : [...others, `${name}=${value}`];
}

export function aRootCa(overrides: Partial<CertificateRequest> = {}): Issued {
  return issue({ subject: '/O=Test Operator/CN=Test Provider CA', extensions: caExtensions, keyFile: keyFile('root'), ...overrides });
}

export function anIntermediate(issuer: Issued, overrides: Partial<CertificateRequest> = {}): Issued {
  return issue({
    subject: '/O=Test Operator/CN=Test Issuing CA',
    extensions: caExtensions,
    keyFile: keyFile('intermediate'),
    issuer,
    ...overrides,
  });
}

export function aSigner(issuer: Issued, overrides: Partial<CertificateRequest> = {}): Issued {
  return issue({
    subject: '/O=株式会社アクメ/CN=Acme signer',
    extensions: leafExtensions(),
    keyFile: keyFile('leaf'),
    issuer,
    ...overrides,
  });
}

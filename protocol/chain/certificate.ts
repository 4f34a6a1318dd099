/** The fields of an X.509 v3 certificate (RFC 5280 §4.1) that node:crypto does not show. Reads only; the gates judge. */
import { TsugiteError } from '../errors.ts';
import { childrenOf, type DerNode, readDer, readOid, readTime, tag } from './der.ts';

export type Extension = { readonly oid: string; readonly isCritical: boolean; readonly value: Buffer };

export type Certificate = {
  readonly serial: string;
  readonly signatureAlgorithm: DerNode;
  readonly signedSignatureAlgorithm: DerNode;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly subject: DerNode;
  readonly extensions: readonly Extension[];
};

export const extensionOid = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  extKeyUsage: '2.5.29.37',
} as const;

/** @throws TsugiteError SIGNER_CHAIN_REFUSED `der` */
export function readCertificate(der: Buffer): Certificate {
  const [signed, signatureAlgorithm] = childrenOf(readDer(der));
  if (signed === undefined || signatureAlgorithm === undefined) throw malformed('certificate');
  const fields = childrenOf(signed);
  const first = fields[0]?.tag === 0xa0 ? 1 : 0; // [0] version
  const [serial, signedSignatureAlgorithm, , validity, subject] = fields.slice(first);
  const [notBefore, notAfter] = validity === undefined ? [] : childrenOf(validity);
  if (serial === undefined || signedSignatureAlgorithm === undefined || subject === undefined || !notBefore || !notAfter)
    throw malformed('certificate');
  return {
    serial: serial.content.toString('hex').replace(/^0+(?=.)/, ''),
    signatureAlgorithm,
    signedSignatureAlgorithm,
    notBeforeMs: readTime(notBefore),
    notAfterMs: readTime(notAfter),
    subject,
    extensions: fields.filter((field) => field.tag === 0xa3).flatMap(readExtensions),
  };
}

export function extensionOf(certificate: Certificate, oid: string): Extension | undefined {
  return certificate.extensions.find((extension) => extension.oid === oid);
}

function readExtensions(field: DerNode): Extension[] {
  return childrenOf(readDer(field.content)).map((node) => {
    const parts = childrenOf(node);
    const [oid, value] = [parts[0], parts.at(-1)];
    if (oid === undefined || value === undefined || value.tag !== tag.octetString) throw malformed('extension');
    const isCritical = parts.length === 3 && parts[1]?.tag === tag.boolean && parts[1].content[0] === 0xff;
    return { oid: readOid(oid), isCritical, value: value.content };
  });
}

function malformed(fault: string): TsugiteError {
  return new TsugiteError('SIGNER_CHAIN_REFUSED', { kind: 'der', fault });
}

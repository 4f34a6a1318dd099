/** Who a proven leaf certificate says it is: the provider id in its one URI, and the organisation's name for people (DESIGN §4). */
import type { X509Certificate } from 'node:crypto';
import { keyidOf } from '../dsse.ts';
import { TsugiteError } from '../errors.ts';
import { type KeyId, type ProviderId, providerId, toUtcTime, type UtcTime } from '../fields.ts';
import { type Certificate, extensionOf, extensionOid, readCertificate } from './certificate.ts';
import { childrenOf, readDer, readOid } from './der.ts';

export type SignerIdentity = {
  readonly uri: string;
  readonly provider: ProviderId;
  /** Subject O: the provider's name for people. */
  readonly organisation: string;
};

export type Signer = SignerIdentity & {
  readonly keyid: KeyId;
  readonly issuerKeyid: KeyId;
  /** Lower-case hex without leading zeros, as `root.revokedSigners` has it. */
  readonly serial: string;
  readonly notBefore: UtcTime;
  readonly notAfter: UtcTime;
};

const uriPrefix = 'urn:tsugite:provider:';
const organisationOid = '2.5.4.10';
const uriTag = 0x86; // GeneralName [6], IA5String

export function providerUri(provider: ProviderId): string {
  return `${uriPrefix}${provider}`;
}

/**
 * @param path  proven by both gates: leaf, its issuer, …
 * @throws TsugiteError SIGNER_CHAIN_REFUSED `san-uri` · `organisation`
 */
export function readSigner(path: readonly X509Certificate[]): Signer {
  const [leaf, issuer] = path;
  if (leaf === undefined || issuer === undefined) throw refused('chain-length', path.length);
  const fields = readCertificate(leaf.raw);
  return {
    ...readSignerIdentity(leaf),
    keyid: keyidOf(leaf.publicKey),
    issuerKeyid: keyidOf(issuer.publicKey),
    serial: fields.serial,
    notBefore: toUtcTime(fields.notBeforeMs),
    notAfter: toUtcTime(fields.notAfterMs),
  };
}

/** What a certificate claims; believed once its chain is proven. @throws TsugiteError SIGNER_CHAIN_REFUSED `san-uri` · `organisation` */
export function readSignerIdentity(leaf: X509Certificate): SignerIdentity {
  const fields = readCertificate(leaf.raw);
  const uri = onlyUri(fields);
  return { uri, provider: providerOf(uri), organisation: organisationOf(fields) };
}

function onlyUri(fields: Certificate): string {
  const extension = extensionOf(fields, extensionOid.subjectAltName);
  const names = extension === undefined ? [] : childrenOf(readDer(extension.value));
  const uris = names.filter((name) => name.tag === uriTag).map((name) => name.content.toString('latin1'));
  if (uris.length !== 1 || uris[0] === undefined) throw refused('san-uri', uris);
  return uris[0];
}

function providerOf(uri: string): ProviderId {
  const id = providerId.safeParse(uri.startsWith(uriPrefix) ? uri.slice(uriPrefix.length) : undefined);
  if (!id.success) throw refused('san-uri', uri);
  return id.data;
}

function organisationOf(fields: Certificate): string {
  const attributes = childrenOf(fields.subject).flatMap(childrenOf).map(childrenOf);
  const values = attributes.flatMap(([type, value]) => (type && value && readOid(type) === organisationOid ? [value] : []));
  const [value] = values;
  if (values.length !== 1 || value === undefined || value.content.length === 0) throw refused('organisation', values.length);
  return textOf(value.tag, value.content);
}

/** DirectoryString, RFC 5280 §4.1.2.4. BMPString is UCS-2, most significant byte first. */
function textOf(type: number, content: Buffer): string {
  const text = type === 0x1e && content.length % 2 === 0 ? Buffer.from(content).swap16().toString('utf16le') : content.toString('utf8');
  if (![0x0c, 0x13, 0x1e].includes(type) || /[\p{Cc}\p{Cf}\uFFFD]/u.test(text) || text.length > 200) throw refused('organisation', text);
  return text;
}

function refused(kind: string, found: unknown): TsugiteError {
  return new TsugiteError('SIGNER_CHAIN_REFUSED', { kind, found });
}

/** The provider CA at work: what a request must be, and the signer certificate that comes of it (DESIGN §4). */
import 'reflect-metadata';
import { createPublicKey, type KeyObject } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { providerUri } from '../../protocol/chain/signer.ts';
import { keyidOf } from '../../protocol/dsse.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId } from '../../protocol/fields.ts';
import type { Authority, ProviderCa } from '../ports.ts';
import { issueLeaf } from './x509.ts';

const maxRequestBytes = 16 * 1024;
const hourMs = 3_600_000;
/** Three years and a month: at least three, whenever in its first month a certificate is first used. */
const validDays = 3 * 365 + 31;

export function makeProviderCa(authority: Authority): ProviderCa {
  const issuerKeyid = keyidOf(createPublicKey(authority.key));
  return {
    check: async (csrPem, wanted) => {
      const { publicKey, organisation } = await verifyRequest(csrPem, wanted);
      return { subjectKeyid: keyidOf(publicKey), organisation };
    },
    issue: async (csrPem, { nowMs, ...wanted }) => {
      const { provider } = wanted;
      const { publicKey, organisation, commonName } = await verifyRequest(csrPem, wanted);
      const notBeforeMs = nowMs - hourMs; // a packer whose clock is a little behind
      const notAfterMs = nowMs + validDays * 24 * hourMs;
      const { pem, serial } = await issueLeaf(authority, {
        subject: { organisation, commonName: commonName ?? provider },
        publicKey,
        notBefore: new Date(notBeforeMs),
        notAfter: new Date(notAfterMs),
        extendedKeyUsage: 'codeSigning',
        alternativeNames: [{ type: 'url', value: providerUri(provider) }],
      });
      return { pem, serial, issuerKeyid, subjectKeyid: keyidOf(publicKey), organisation, notBeforeMs, notAfterMs };
    },
  };
}

async function verifyRequest(
  csrPem: string,
  { provider, organisation: registered }: { provider: ProviderId; organisation: string | undefined },
): Promise<SignerRequest> {
  const request = await readRequest(csrPem);
  const { organisation, uris } = request;
  const uri = providerUri(provider);
  if (uris.length !== 1 || uris[0] !== uri) throw new TsugiteError('SIGNER_NOT_PROVIDER', { kind: 'san-uri', expected: uri, found: uris });
  // The household reads this name on its page as the maker of the software: it has to be the one that the operator registered.
  if (registered !== undefined && organisation !== registered)
    throw new TsugiteError('SIGNER_NOT_PROVIDER', { kind: 'organisation', expected: registered, found: organisation });
  return request;
}

type SignerRequest = { publicKey: KeyObject; organisation: string; commonName: string | undefined; uris: readonly string[] };

async function readRequest(csrPem: string): Promise<SignerRequest> {
  if (Buffer.byteLength(csrPem) > maxRequestBytes) throw unusable('too long');
  const request = parseRequest(csrPem);
  const publicKey = createPublicKey({ key: Buffer.from(request.publicKey.rawData), format: 'der', type: 'spki' });
  const { modulusLength = 0, publicExponent } = publicKey.asymmetricKeyDetails ?? {};
  if (publicKey.asymmetricKeyType !== 'rsa' || modulusLength < 2048 || publicExponent !== 65_537n)
    throw unusable('RSA of 2048 bits or more with exponent 65537 is needed');
  if (!(await request.verify())) throw unusable('the signature of the request');
  const organisation = onlyValue(request, 'O');
  if (organisation === undefined || organisation.length > 64) throw unusable('subject O: one name of 1 to 64 characters is needed');
  const names = request.extensions.flatMap((extension) =>
    extension instanceof x509.SubjectAlternativeNameExtension ? extension.names.items : [],
  );
  if (names.some(({ type }) => type !== 'url')) throw unusable('subjectAltName: nothing but one URI');
  return { publicKey, organisation, commonName: onlyValue(request, 'CN'), uris: names.map(({ value }) => value) };
}

function parseRequest(csrPem: string): x509.Pkcs10CertificateRequest {
  try {
    return new x509.Pkcs10CertificateRequest(csrPem);
  } catch (cause) {
    throw new TsugiteError('KEY_UNUSABLE', { path: 'CSR', at: 'not a PKCS#10 request in PEM' }, { cause });
  }
}

function onlyValue(request: x509.Pkcs10CertificateRequest, type: 'O' | 'CN'): string | undefined {
  const values = request.subjectName.getField(type);
  return values.length === 1 && values[0]?.trim() !== '' ? values[0] : undefined;
}

function unusable(at: string): TsugiteError {
  return new TsugiteError('KEY_UNUSABLE', { path: 'CSR', at });
}

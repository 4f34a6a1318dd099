import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import type forgeLibrary from 'node-forge';
import { decodeBase64 } from '../../protocol/base64.ts';
import { type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { est } from '../../protocol/routes.ts';
import type { EnrolRequest, EstClient } from '../ports/enrolment.ts';
import type { HttpsClient } from '../ports/network.ts';
import { readAll } from './https-client.ts';

type Forge = typeof forgeLibrary;

const answerCapBytes = 64 * 1024;
const commonNameOid = '2.5.4.3';
const ecdsaWithSha256Oid = '1.2.840.10045.4.3.2';

const refusals: Readonly<Record<number, ErrorCode>> = {
  400: 'ENROLL_REQUEST_REFUSED',
  401: 'ENROLL_TOKEN_REFUSED',
  403: 'GATEWAY_BLOCKED',
  429: 'ENROLL_TRIES_EXCEEDED',
};

/** Enrolment over Secure Transport (RFC 7030 §4.2). node-forge is loaded for it alone: it would cost the idle agent 3 MB. */
export function makeEstClient({ https }: { https: HttpsClient }): EstClient {
  return {
    makeKey: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    async enrol(request) {
      const { default: forge } = await import('../../protocol/chain/forge-x509.ts');
      const key = createPrivateKey(request.privateKeyPem);
      const answer = await https.open({
        method: 'POST',
        url: request.https + (request.token === undefined ? est.simplereenroll : est.simpleenroll),
        trust: request.trust,
        headers: {
          'content-type': 'application/pkcs10',
          'content-transfer-encoding': 'base64',
          ...(request.token === undefined ? {} : { authorization: basic(request.gateway, request.token) }),
        },
        body: Buffer.from(`${certificateRequest(forge, request.gateway, key).toString('base64')}\n`),
        purpose: 'fetch',
      });
      const body = await readAll(answer, answerCapBytes, 'est-answer');
      if (answer.status !== 200)
        throw new TsugiteError(refusals[answer.status] ?? 'SERVER_UNREACHABLE', { gateway: request.gateway, status: answer.status });
      return ownCertificate(certificatesOf(forge, body), key, request);
    },
    async show({ https: server, trust }) {
      const answer = await https.open({ method: 'GET', url: server + est.cacerts, trust, purpose: 'fetch' });
      answer.close();
    },
  };
}

function basic(gateway: string, token: string): string {
  return `Basic ${Buffer.from(`${gateway}:${token}`).toString('base64')}`;
}

/** PKCS #10 (RFC 2986): name, key, no attributes; signed with the key, which proves that we hold it. */
export function certificateRequest({ asn1 }: Forge, commonName: string, key: KeyObject): Buffer {
  const { Class, Type } = asn1;
  const make = (type: forgeLibrary.asn1.Type, value: string | forgeLibrary.asn1.Asn1[]) =>
    asn1.create(Class.UNIVERSAL, type, typeof value !== 'string', value);
  const oid = (dotted: string) => make(Type.OID, asn1.oidToDer(dotted).getBytes());
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const subject = make(Type.SEQUENCE, [make(Type.SET, [make(Type.SEQUENCE, [oid(commonNameOid), make(Type.UTF8, commonName)])])]);
  const version = make(Type.INTEGER, asn1.integerToDer(0).getBytes());
  const noAttributes = asn1.create(Class.CONTEXT_SPECIFIC, 0, true, []);
  const info = make(Type.SEQUENCE, [version, subject, asn1.fromDer(spki.toString('binary')), noAttributes]);
  const signature = sign('sha256', Buffer.from(asn1.toDer(info).getBytes(), 'binary'), key);
  const algorithm = make(Type.SEQUENCE, [oid(ecdsaWithSha256Oid)]);
  const request = make(Type.SEQUENCE, [info, algorithm, make(Type.BITSTRING, `\0${signature.toString('binary')}`)]);
  return Buffer.from(asn1.toDer(request).getBytes(), 'binary');
}

/** Certs-only PKCS #7 (RFC 5652 §5.1): ContentInfo → [0] SignedData → [0] certificates. Nothing in it is signed; each certificate proves itself. */
export function certificatesOf({ asn1 }: Forge, body: Buffer): X509Certificate[] {
  const der = decodeBase64(body.toString('latin1').replace(/\s/g, ''));
  try {
    const contentInfo = childrenOf(asn1.fromDer((der as Buffer).toString('binary')));
    const signedData = childrenOf(childrenOf(contentInfo[1])[0]);
    const certificates = signedData.find(({ tagClass, type }) => tagClass === asn1.Class.CONTEXT_SPECIFIC && (type as number) === 0);
    return childrenOf(certificates).map((certificate) => new X509Certificate(Buffer.from(asn1.toDer(certificate).getBytes(), 'binary')));
  } catch (cause) {
    throw malformed('body', 'not a certs-only PKCS #7', cause);
  }
}

function childrenOf(node: forgeLibrary.asn1.Asn1 | undefined): forgeLibrary.asn1.Asn1[] {
  if (!Array.isArray(node?.value)) throw new Error('not constructed');
  return node.value;
}

/** The certificate must be for the key that we made and the name that we asked for; who signed it is the server's business. */
function ownCertificate(certificates: readonly X509Certificate[], key: KeyObject, { gateway }: EnrolRequest): string {
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (own === undefined) throw malformed('certificate', 'not for our key');
  if (own.subject !== `CN=${gateway}`) throw malformed('certificate.subject', 'not our gateway');
  if (own.ca) throw malformed('certificate', 'a CA');
  return own.toString();
}

function malformed(field: string, fault: string, cause?: unknown): TsugiteError {
  return new TsugiteError('MESSAGE_MALFORMED', { what: 'est-answer', faults: [{ field, fault }] }, { cause });
}

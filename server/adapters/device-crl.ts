/** A list of revoked certificates, built with @peculiar/x509 (RFC 5280 §5). */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CrlMaker } from '../ports/gateways.ts';
import type { Authority } from '../ports.ts';
import { p256 } from './x509.ts';

const crlNumberOid = '2.5.29.20';

export function makeCrlMaker(authority: Authority): CrlMaker {
  return {
    make: async ({ number, thisUpdateMs, revoked }) => {
      const ca = new x509.X509Certificate(authority.certPem);
      const signingKey = await webcrypto.subtle.importKey('pkcs8', authority.key.export({ type: 'pkcs8', format: 'der' }), p256, false, [
        'sign',
      ]);
      const crl = await x509.X509CrlGenerator.create({
        issuer: ca.subject,
        thisUpdate: new Date(thisUpdateMs),
        // OpenSSL refuses everybody once this has passed. A list that is not renewed in time must not shut out the whole fleet.
        nextUpdate: ca.notAfter,
        entries: revoked.map(({ serial, sinceMs }) => ({ serialNumber: serial, revocationDate: new Date(sinceMs) })),
        signingAlgorithm: p256,
        signingKey,
        extensions: [
          await x509.AuthorityKeyIdentifierExtension.create(ca, false),
          new x509.Extension(crlNumberOid, false, derInteger(number)),
        ],
      });
      return pemOf(Buffer.from(crl.rawData));
    },
  };
}

/** RFC 7468 §5: under the label that OpenSSL looks for, which the library does not write. */
function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN X509 CRL-----', ...lines, '-----END X509 CRL-----', ''].join('\n');
}

/** X.690 §8.3: shortest form, a leading zero where the sign bit would be set. */
function derInteger(value: number): Uint8Array {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const content = (bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
  return Buffer.concat([Buffer.from([0x02, content.length]), content]);
}

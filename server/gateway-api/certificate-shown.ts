/** The certificate that a caller has shown, and proven by its private key, in a TLS handshake: with us, or with the web server in front of us. */
import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';

export type CertificateShown = (request: FastifyRequest) => X509Certificate | undefined;

export const shownToUs: CertificateShown = ({ raw: { socket } }) =>
  socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;

/** Set by the web server in front at every request, whatever a caller may have sent under this name. */
const header = 'x-tsugite-certificate';
/** Ours are 700 bytes in PEM, and half as much again with every line break escaped. */
const longest = 8 * 1024;

/** Only for a socket that nobody but that web server can reach: the header alone proves nothing. */
export const shownToFront: CertificateShown = ({ headers }) => {
  const escaped = headers[header];
  if (typeof escaped !== 'string' || escaped === '' || escaped.length > longest) return undefined;
  try {
    return new X509Certificate(decodeURIComponent(escaped));
  } catch {
    return undefined;
  }
};

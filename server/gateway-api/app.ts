/** The gateways' HTTPS side: TLS 1.3, each route open to exactly those whom the route table names. */
import { constants } from 'node:crypto';
import type { ServerOptions } from 'node:https';
import fastify from 'fastify';
import type { EnrollGateway } from '../flows/enroll-gateway.ts';
import type { GatewayDownloads } from '../flows/gateway-downloads.ts';
import type { RenewCertificate } from '../flows/renew-certificate.ts';
import type { UseCertificate } from '../flows/use-certificate.ts';
import type { CertificateMaker } from '../ports/gateways.ts';
import type { Log, PackageFiles } from '../ports.ts';
import { shownToFront, shownToUs } from './certificate-shown.ts';
import { addEstRoutes } from './est.ts';
import { addFileRoutes } from './files.ts';
import { makeGate } from './guard.ts';
import { refuse } from './refuse.ts';

export type GatewayApiParts = {
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  readonly deviceCaPem: string;
  readonly serverCaPems: readonly string[];
  readonly certificates: CertificateMaker;
  readonly packages: PackageFiles;
  readonly log: Log;
  readonly useCertificate: UseCertificate;
  readonly enrollGateway: EnrollGateway;
  readonly renewCertificate: RenewCertificate;
  readonly downloads: GatewayDownloads;
  /** A web server in front of us does TLS, and hands out the packages that we allow. */
  readonly isBehindFront: boolean;
};

export type GatewayApp = ReturnType<typeof makeGatewayApi>;

const bodyBytes = 16 * 1024;
const handshakeTimeoutMs = 10_000;
/** Each may stream a package from disk. */
const maxConnections = 4_000;
/** A gateway on the slowest line needs minutes for a package; a request's head and body never do. */
const requestTimeoutMs = 30_000;

export function makeGatewayApi(parts: GatewayApiParts) {
  const app = fastify({
    https: parts.isBehindFront ? null : tlsOptions(parts),
    logger: false,
    bodyLimit: bodyBytes,
    requestTimeout: requestTimeoutMs,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
  });
  app.server.maxConnections = maxConnections;
  const gate = makeGate({ ...parts, certificateShown: parts.isBehindFront ? shownToFront : shownToUs });

  // RFC 7030 §4.2.1: base64 text. Taken as bytes: what it holds is decided by the reader of requests.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setNotFoundHandler({ preHandler: gate.check.bind(undefined, 'certificate') }, (_request, reply) => refuse(reply, 404, 'NOT_FOUND'));
  app.setErrorHandler((error: { statusCode?: number; message: string }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) parts.log.error('gateway_api.failed', { method: request.method, route: request.routeOptions.url, error });
    return refuse(reply, status, status >= 500 ? 'INTERNAL_FAULT' : 'INPUT_REFUSED', {
      faults: [{ field: 'request', fault: error.message }],
    });
  });
  addEstRoutes(app, gate, parts);
  addFileRoutes(app, gate, parts);
  return app;
}

function tlsOptions({ tls, deviceCaPem }: Pick<GatewayApiParts, 'tls' | 'deviceCaPem'>): ServerOptions {
  return {
    minVersion: 'TLSv1.3',
    key: tls.keyPem,
    cert: tls.certPem,
    ca: [deviceCaPem],
    requestCert: true,
    rejectUnauthorized: false,
    // No session tickets: 1.3 kB a connect, and a resumed session would not show its certificate.
    secureOptions: constants.SSL_OP_NO_TICKET,
    sigalgs: 'ecdsa_secp256r1_sha256',
    handshakeTimeout: handshakeTimeoutMs,
  };
}

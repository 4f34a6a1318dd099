/** A small real HTTPS server for tests of the agent's client: TLS 1.3, a handler, and a memory of what was asked. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Authority } from '../../server/ports.ts';
import { aServerIdentity } from './gateway-pki.ts';

export type Asked = {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
  clientCn: string | undefined;
  clientSerial: string | undefined;
};
export type HttpsTestServer = { url: string; asked: Asked[]; stop(): Promise<void> };

export async function anHttpsServer(
  authorities: { server: Authority; device: Authority },
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => void | Promise<void>,
): Promise<HttpsTestServer> {
  const { certPem, keyPem } = await aServerIdentity(authorities.server);
  const asked: Asked[] = [];
  const server = createServer(
    { key: keyPem, cert: certPem, ca: authorities.device.certPem, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
    async (request, response) => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const body = Buffer.concat(pieces).toString();
      const certificate = (request.socket as TLSSocket).getPeerCertificate();
      const clientCn = certificate?.subject?.CN;
      asked.push({
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
        clientCn: Array.isArray(clientCn) ? clientCn[0] : clientCn,
        clientSerial: certificate?.serialNumber,
      });
      await handle(request, response, body);
    },
  );
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

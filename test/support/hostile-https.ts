/** A real HTTPS server that says whatever a test wants, and remembers who asked it for what: the thief's, or that of a mirror. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Digest } from '../../protocol/fields.ts';
import { packagePath, parseGatewayRoute, rootPath } from '../../protocol/routes.ts';

export type Served = { sha256: Digest; bytes: number };
export type Handler = (request: IncomingMessage, response: ServerResponse) => void;
export type Asked = {
  readonly path: string;
  /** Common name of the certificate that was shown. */
  readonly shownBy: string | undefined;
};

export type HostileHttps = {
  readonly asked: readonly Asked[];
  /** From now on it is fetched by its own digest, or by another one that the test claims. */
  serve(bytes: Buffer, claimed?: string): Served;
  serveRoot(version: number, envelope: Buffer): void;
  /** Answers so whoever asks for that package, instead of with its bytes. */
  answer(served: Pick<Served, 'sha256'>, handler: Handler): void;
  stop(): Promise<void>;
};

export async function listenHostile(
  tls: { cert: Buffer | string; key: Buffer | string; clientCa: Buffer },
  port: number,
): Promise<HostileHttps> {
  const handlers = new Map<string, Handler>();
  const asked: Asked[] = [];
  const { cert, key, clientCa } = tls;
  const server = createServer(
    { cert, key, ca: clientCa, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.3' },
    (request, response) => {
      response.on('error', () => {}); // an agent that has had enough hangs up
      const place = request.url ?? '';
      asked.push({ path: place, shownBy: (request.socket as TLSSocket).getPeerCertificate().subject?.CN as string | undefined });
      const handler = parseGatewayRoute(place) === undefined ? undefined : handlers.get(place);
      if (handler === undefined) response.writeHead(404).end();
      else handler(request, response);
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const whole =
    (bytes: Buffer): Handler =>
    (_, response) =>
      void response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  return {
    asked,
    serve(bytes, claimed) {
      const sha256 = (claimed ?? createHash('sha256').update(bytes).digest('hex')) as Digest;
      handlers.set(packagePath(sha256), whole(bytes));
      return { sha256, bytes: bytes.length };
    },
    serveRoot: (version, envelope) => void handlers.set(rootPath(version), whole(envelope)),
    answer: ({ sha256 }, handler) => void handlers.set(packagePath(sha256), handler),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** One HTTP server of a page in the home: small, patient with nobody, and with the head that every answer of ours has. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TsugiteError } from '../../protocol/errors.ts';

export function send(response: ServerResponse, status: number, type: string, text: string, more: Record<string, string> = {}): void {
  const body = Buffer.from(text);
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      ...more,
    })
    .end(body);
}

/** @throws TsugiteError PORT_IN_USE */
export async function listen(
  { host, port }: { host: string; port: number },
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 5_000 },
    handle,
  );
  server.maxConnections = 32;
  server.maxRequestsPerSocket = 100;
  server.timeout = 30_000;
  server.on('clientError', (_error, socket) => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(cause.code === 'EADDRINUSE' ? new TsugiteError('PORT_IN_USE', { address: `${host}:${port}` }, { cause }) : cause),
    );
    server.listen(port, host, resolve);
  });
  return server;
}

export async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))));
}

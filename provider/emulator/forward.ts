import { connect, createServer, type Server, type Socket } from 'node:net';

/** Copies bytes both ways until either side ends. */
export function joinSockets(one: Socket, other: Socket): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

/** Listens on a free port of the host's loopback and passes every connection on to a unix socket. */
export function forwardToUnixSocket(socketPath: string): Promise<{ port: number; close(): void }> {
  const server = createServer((socket) => joinSockets(socket, connect(socketPath)));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ port: typeof address === 'object' && address !== null ? address.port : 0, close: () => server.close() });
    });
  });
}

/** Passes every connection of a server that listens elsewhere on to a port of the host's loopback. */
export function passOn(server: Server, to: { host: string; port: number }): void {
  server.on('connection', (socket) => joinSockets(socket, connect(to.port, to.host)));
}

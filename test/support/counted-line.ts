import { connect, createServer, type Socket } from 'node:net';

/**
 * A TCP forwarder: what goes through it is what a gateway's line carries above TCP. It can be cut.
 *
 * @param stopAfterDown  the first connection breaks once this many bytes have come down it
 */
export async function aLine(to: number, { stopAfterDown = Number.POSITIVE_INFINITY } = {}) {
  const sockets = new Set<Socket>();
  const bytes = { up: 0, down: 0 };
  let isFirst = true;
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.setNoDelay(true);
    }
    near.on('data', (chunk) => {
      bytes.up += chunk.length;
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      bytes.down += chunk.length;
      if (near.write(chunk)) return;
      far.pause();
      near.once('drain', () => far.resume());
    });
    if (isFirst) {
      isFirst = false;
      // What was written before the end arrives: a line that breaks, not one that takes back.
      far.on('data', () => bytes.down >= stopAfterDown && far.pause().destroy() && near.end());
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    bytes: () => ({ ...bytes }),
    cut: () => {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

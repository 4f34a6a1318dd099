/** A line that breaks: passes TCP on to a server on this machine, and cuts connections where the test says so. */
import { connect, createServer, type Socket } from 'node:net';

export type Cut = {
  /** After so many bytes to the server. */
  readonly afterSent?: number;
  /** After so many bytes from the server: what it did is done, and its answer is lost. */
  readonly afterAnswered?: number;
};

/** @param cuts  for the first connections, one each; the others pass whole */
export async function aBreakingLine(
  port: number,
  cuts: readonly Cut[],
): Promise<{ url: string; connections: () => number; stop(): Promise<void> }> {
  const waiting = [...cuts];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((near) => {
    connections += 1;
    const cut = waiting.shift() ?? {};
    const far = connect(port, '127.0.0.1');
    const end = () => {
      near.destroy();
      far.destroy();
    };
    pass(near, far, cut.afterSent, end);
    pass(far, near, cut.afterAnswered, end);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', end);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${address.port}`,
    connections: () => connections,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(from: Socket, to: Socket, most: number | undefined, end: () => void): void {
  let passed = 0;
  from.on('data', (bytes) => {
    passed += bytes.length;
    if (most !== undefined && passed >= most) return end();
    to.write(bytes);
  });
  from.on('end', () => to.end());
}

/** The line between gateways and server, in the hands of somebody else: hears every byte, and passes them on or does not. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** `silent`: takes connections and bytes, and says nothing. `dead`: hangs up at once. */
export type LineMode = 'passing' | 'silent' | 'dead';

export type LineInTheMiddle = {
  readonly port: number;
  /** Where the next connections are led to. */
  leadTo(port: number): void;
  /** For present and later connections. */
  become(mode: LineMode): void;
  /** Every byte of every connection so far, both ways. */
  heard(): Buffer;
  stop(): Promise<void>;
};

export async function aLineInTheMiddle(port: number): Promise<LineInTheMiddle> {
  let [farPort, mode]: [number, LineMode] = [port, 'passing'];
  const heard: Buffer[] = [];
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (bytes) => {
      heard.push(bytes);
      if (mode === 'passing') to.write(bytes);
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
  };
  const server = createServer((near) => {
    if (mode === 'dead') return void near.on('error', () => {}).destroy();
    const far = connect(farPort, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  });
  return {
    port: await listen(server),
    leadTo: (other) => (farPort = other),
    become(next) {
      mode = next;
      if (next === 'dead') for (const socket of sockets) socket.destroy();
    },
    heard: () => Buffer.concat(heard),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as { port: number }).port;
}

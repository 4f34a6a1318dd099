/**
 * The small program that the emulator starts inside a network namespace, where it cannot go itself.
 *
 *   inside listen ADDRESS PORT…           listens there and hands the sockets to its parent: a socket stays in the namespace where it was made
 *   inside connect SOCKET=PORT…           accepts on unix sockets (any namespace) and connects to 127.0.0.1:PORT of this namespace
 */
import { rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { joinSockets } from './forward.ts';

function listening(server: Server, where: object): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...where, backlog: 128 }, () => resolve(server));
  });
}

function handOver(message: object, server: Server): Promise<void> {
  return new Promise((resolve, reject) => process.send?.(message, server, {}, (error) => (error ? reject(error) : resolve())));
}

async function listen(address: string, ports: readonly string[]): Promise<void> {
  for (const port of ports) await handOver({ port: Number(port) }, await listening(createServer(), { host: address, port: Number(port) }));
  process.disconnect();
  process.exit(0);
}

async function connectTo(pairs: readonly string[]): Promise<void> {
  for (const pair of pairs) {
    const [path = '', port = ''] = pair.split('=');
    rmSync(path, { force: true });
    await listening(
      createServer((socket) => joinSockets(socket, connect(Number(port), '127.0.0.1'))),
      { path },
    );
  }
  process.send?.({ listening: pairs.length });
  process.on('disconnect', () => process.exit(0));
}

const [mode, ...rest] = process.argv.slice(2);
if (mode === 'listen') await listen(rest[0] ?? '', rest.slice(1));
else if (mode === 'connect') await connectTo(rest);
else process.exit(2);

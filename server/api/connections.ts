/** How many connections the API holds, and how long it waits for each: a few slow callers must not take them all. */
import type { Server } from 'node:http';
import { BlockList, isIPv6, type Socket } from 'node:net';
import type { Clock } from '../ports.ts';
import { addressKey } from '../rules/rate.ts';

export type Patience = {
  readonly headersMs: number;
  /** From the headers to the end of a JSON body. */
  readonly bodyMs: number;
  /** The whole request: 25 MB over a slow line. */
  readonly uploadMs: number;
  /** After an answer that came before the end of the request. */
  readonly lingerMs: number;
  /** How often Node looks at the two above. */
  readonly checkMs: number;
  readonly connections: number;
  /** Of them, from one address. A proxy of ours is many callers. */
  readonly fromOneAddress: number;
};
export const serverPatience: Patience = {
  headersMs: 20_000,
  bodyMs: 30_000,
  uploadMs: 300_000,
  lingerMs: 2_000,
  checkMs: 5_000,
  connections: 1_000,
  fromOneAddress: 250,
};

/** @param trusted  addresses and networks, as the configuration has them */
function proxyTest(trusted: readonly string[]): (address: string) => boolean {
  const proxies = new BlockList();
  for (const one of trusted) {
    const [address = '', bits] = one.split('/');
    proxies.addSubnet(address, bits === undefined ? (isIPv6(address) ? 128 : 32) : Number(bits), isIPv6(address) ? 'ipv6' : 'ipv4');
  }
  return (address) => proxies.check(address, isIPv6(address) ? 'ipv6' : 'ipv4'); // an IPv4 one in IPv6 form is found too
}

/** An upload that was refused is still being sent: to close at once would reset the connection, and the answer on its way with it. */
export function closeLater(socket: Socket, clock: Clock, ms: number): void {
  socket.once(
    'close',
    clock.after(ms, () => socket.destroy()),
  );
}

export function guardConnections(server: Server, { patience, trusted }: { patience: Patience; trusted: readonly string[] }): void {
  const open = new Map<string, number>();
  const isProxy = proxyTest(trusted);
  server.maxConnections = patience.connections;
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isProxy(address)) return;
    const key = addressKey(address);
    const count = (open.get(key) ?? 0) + 1;
    if (count > patience.fromOneAddress) return socket.destroy();
    open.set(key, count);
    socket.once('close', () => {
      const left = (open.get(key) ?? 1) - 1;
      if (left === 0) open.delete(key);
      else open.set(key, left);
    });
    return undefined;
  });
}

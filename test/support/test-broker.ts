/** A broker for tests of the agent's side: aedes behind TLS 1.3 with client certificates, and a door to watch and misbehave. */
import { constants } from 'node:crypto';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { Aedes } from 'aedes';
import type { Authority } from '../../server/ports.ts';
import { aServerIdentity } from './gateway-pki.ts';

export type TestBroker = {
  port: number;
  aedes: Aedes;
  received: { topic: string; payload: string; qos: number; retain: boolean }[];
  subscriptions: string[][];
  sockets: Set<TLSSocket>;
  /** Bytes of TCP, as the broker's own socket counters see them. */
  rawBytes(): { read: number; written: number };
  /** From now on nothing that comes in is answered, and nothing is closed: as when a NAT box forgot the connection. */
  fallSilent(): void;
  publish(topic: string, payload: Buffer | string, options?: { qos?: 0 | 1; retain?: boolean }): Promise<void>;
  stop(): Promise<void>;
};

/** @param listen  `at`: a server that listens already, as in another network namespace */
export async function aBroker(
  authorities: { server: Authority; device: Authority },
  listen: { host?: string; port?: number; at?: Server } = {},
): Promise<TestBroker> {
  const { at } = listen;
  const aedes = await Aedes.createBroker();
  const { certPem, keyPem } = await aServerIdentity(authorities.server, at ? [(at.address() as AddressInfo).address] : []);
  const received: TestBroker['received'] = [];
  const subscriptions: string[][] = [];
  const sockets = new Set<TLSSocket>();
  const rawSockets = new Set<Socket>();
  aedes.authorizePublish = (_client, packet, done) => {
    received.push({ topic: packet.topic, payload: packet.payload.toString(), qos: packet.qos, retain: packet.retain });
    done(null);
  };
  aedes.on('subscribe', (asked) => void subscriptions.push(asked.map(({ topic }) => topic)));

  const server = createServer(
    {
      key: keyPem,
      cert: certPem,
      ca: authorities.device.certPem,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.3',
      secureOptions: constants.SSL_OP_NO_TICKET,
    },
    (socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      aedes.handle(socket);
    },
  );
  server.on('connection', (raw: Socket) => void rawSockets.add(raw));
  server.on('tlsClientError', () => {});
  if (at) at.on('connection', (raw: Socket) => void server.emit('connection', raw));
  else await new Promise<void>((resolve) => server.listen(listen.port ?? 0, listen.host ?? '127.0.0.1', resolve));
  const address = (at ?? server).address();
  if (address === null || typeof address === 'string') throw new Error('no port');

  return {
    port: address.port,
    aedes,
    received,
    subscriptions,
    sockets,
    rawBytes: () => ({
      read: [...rawSockets].reduce((sum, raw) => sum + raw.bytesRead, 0),
      written: [...rawSockets].reduce((sum, raw) => sum + raw.bytesWritten, 0),
    }),
    fallSilent() {
      for (const socket of sockets) {
        socket.pause();
        socket.removeAllListeners('data');
        socket.removeAllListeners('readable');
      }
    },
    publish: (topic, payload, { qos = 1, retain = false } = {}) =>
      new Promise((resolve, reject) =>
        aedes.publish({ cmd: 'publish', topic, payload, qos, retain, dup: false }, (error) => (error ? reject(error) : resolve())),
      ),
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (at ?? server).close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}

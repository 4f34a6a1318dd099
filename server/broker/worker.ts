/**
 * The embedded broker, alone in a worker thread: a storm of reconnecting gateways costs this thread its time, not the API. It holds no secret but
 * the server's TLS key, no database and no decision about who may connect: those it asks the main thread for.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { Aedes, type Client } from 'aedes';
import { writeToStream } from 'mqtt-packet';
import { assertNever } from '../../protocol/assert-never.ts';
import type { GatewayId } from '../../protocol/fields.ts';
import { publishedByServer, topicOf } from '../../protocol/topics.ts';
import type { Verdict } from '../ports/gateways.ts';
import { makeGatekeeper, RefusedError } from './gatekeeper.ts';
import type { BrokerSettings, FromWorker, ToWorker } from './messages.ts';
import { Sessions } from './sessions.ts';
import { makeTlsDoor, type Peer } from './tls-door.ts';

const connectTimeoutMs = 10_000;

// 65,536 pre-built buffers of two bytes, 18 MB, that save nothing measurable.
writeToStream.cacheNumbers = false;

async function main(port: NonNullable<typeof parentPort>, settings: BrokerSettings): Promise<void> {
  const send = (message: FromWorker) => port.postMessage(message);
  const peers = new WeakMap<object, Peer>();
  const clients = new Map<GatewayId, Client>();
  const answers = new Map<number, (verdict: Verdict) => void>();
  let questions = 0;
  const peerOf = (client: Client) => peers.get(client.conn);

  const broker = await Aedes.createBroker({
    persistence: new Sessions(),
    connectTimeout: connectTimeoutMs,
    ...makeGatekeeper({
      peerOf,
      ask: (asked) =>
        new Promise((resolve) => {
          questions += 1;
          answers.set(questions, resolve);
          send({ ...asked, question: questions });
        }),
      onRefused: ({ gateway }, why, detail) => send({ kind: 'refused', gateway, why, detail }),
      maxKeepaliveS: settings.maxKeepaliveS,
    }),
  });
  broker.on('client', (client) => {
    const peer = peerOf(client);
    if (peer !== undefined) clients.set(peer.gateway, client);
  });
  broker.on('clientDisconnect', (client) => {
    const peer = peerOf(client);
    if (peer === undefined) return;
    // After a takeover the newer connection stands in the map already.
    if (clients.get(peer.gateway) === client) clients.delete(peer.gateway);
    send({ kind: 'gone', connection: peer.connection, gateway: peer.gateway });
  });
  for (const event of ['clientError', 'connectionError'] as const)
    broker.on(event, (client, error) => {
      const peer = peerOf(client);
      if (!(error instanceof RefusedError) && peer !== undefined)
        send({ kind: 'refused', gateway: peer.gateway, why: 'broken', detail: error.message });
    });

  const door = makeTlsDoor(settings, {
    onPeer: (socket, peer) => {
      peers.set(socket, peer);
      broker.handle(socket);
    },
    onRefused: (refused) => send({ kind: 'refused', ...refused }),
  });
  door.on('listening', () => {
    const address = door.address();
    send({ kind: 'listening', port: typeof address === 'object' && address !== null ? address.port : settings.listen.port });
  });

  port.on('message', (message: ToWorker) => {
    switch (message.kind) {
      case 'listen':
        door.listen(settings.listen);
        return;
      case 'publish': {
        const { gateway, what, payload } = message;
        const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
        broker.publish({ cmd: 'publish', topic: topicOf(gateway, what), payload: bytes, dup: false, ...publishedByServer[what] }, () => {});
        return;
      }
      case 'answer':
        answers.get(message.question)?.(message.verdict);
        answers.delete(message.question);
        return;
      case 'cut-off':
        clients.get(message.gateway)?.close();
        return;
      case 'stop':
        door.close();
        broker.close(() => port.close());
        return;
      default:
        assertNever(message);
    }
  });
  send({ kind: 'ready' });
}

// A failure here ends the thread with an error; the main thread starts a new one.
if (parentPort !== null) void main(parentPort, workerData as BrokerSettings);

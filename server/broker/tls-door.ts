import { constants } from 'node:crypto';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type GatewayId, gatewayId } from '../../protocol/fields.ts';
import { makeFrameGuard } from './frame-guard.ts';
import type { BrokerSettings, FromWorker } from './messages.ts';

/** Who is at the other end: proven by the TLS handshake with a certificate of the device CA. */
export type Peer = { readonly connection: number; readonly gateway: GatewayId; readonly serial: string };

const handshakeTimeoutMs = 10_000;
/** The largest message of the protocol is 8 KiB of telemetry; topic and framing come on top. */
const maxPacketBytes = 16 * 1024;

type Refused = Extract<FromWorker, { kind: 'refused' }>;

/**
 * TLS 1.3 with a client certificate of the device CA, or nothing. Session tickets cost a gateway 1.3 kB a connect and buy nothing here:
 * SSL_OP_NO_TICKET leaves two short stateful ones of 159 bytes together, `NumTickets = 0` in server/broker/openssl.cnf removes those as well.
 */
export function makeTlsDoor(
  settings: BrokerSettings,
  { onPeer, onRefused }: { onPeer: (socket: TLSSocket, peer: Peer) => void; onRefused: (refused: Omit<Refused, 'kind'>) => void },
): Server {
  let connections = 0;
  const server = createServer({
    minVersion: 'TLSv1.3',
    key: settings.tls.key,
    cert: settings.tls.cert,
    ca: [...settings.tls.clientCas],
    requestCert: true,
    rejectUnauthorized: true,
    secureOptions: constants.SSL_OP_NO_TICKET,
    // Every certificate here is P-256 with SHA-256; the long default list would travel in each handshake.
    sigalgs: 'ecdsa_secp256r1_sha256',
    handshakeTimeout: handshakeTimeoutMs,
  });
  server.maxConnections = settings.maxConnections;
  server.on('tlsClientError', (error, socket) => {
    onRefused({ gateway: null, why: 'tls', detail: `${socket.remoteAddress ?? ''} ${error.message}`.trim() });
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    const peer = peerOf(socket, ++connections);
    if (peer === undefined) {
      onRefused({ gateway: null, why: 'no-certificate', detail: String(socket.remoteAddress) });
      socket.destroy();
      return;
    }
    refuseLongPackets(socket, () => onRefused({ gateway: peer.gateway, why: 'packet-too-large', detail: `over ${maxPacketBytes} bytes` }));
    onPeer(socket, peer);
  });
  return server;
}

function peerOf(socket: TLSSocket, connection: number): Peer | undefined {
  const certificate = socket.getPeerX509Certificate();
  const name = gatewayId.safeParse(/^CN=(.*)$/.exec(certificate?.subject ?? '')?.[1]);
  if (certificate === undefined || !name.success) return undefined;
  return { connection, gateway: name.data, serial: certificate.serialNumber.toLowerCase().replace(/^0+(?=.)/, '') };
}

/** The broker pulls its bytes with `read()`: there each chunk passes the guard before the parser can collect it. */
function refuseLongPackets(socket: TLSSocket, onTooLong: () => void): void {
  const accepts = makeFrameGuard(maxPacketBytes);
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const chunk: unknown = read(size);
    if (!(chunk instanceof Uint8Array) || accepts(chunk)) return chunk;
    onTooLong();
    socket.destroy();
    return null;
  };
}

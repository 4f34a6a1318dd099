import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsTrust } from '../ports/network.ts';
import type { Stage } from '../rules/network-fault.ts';

/** Small ClientHello, P-256 only where we are the ones to sign; RSA stays possible for a server certificate that an operator brought. */
const slimHandshake = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519:P-256',
  sigalgs: 'ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp384r1_sha384',
} as const;

/** A far server over a bad line needs longer than Node's 250 ms before the next of its addresses is tried. */
const nextAddressAfterMs = 3_000;

export type SecureSocket = {
  tls: TLSSocket;
  /** Below TLS: what it counts has crossed the line. */
  raw: Socket;
};

/**
 * Starts a TLS 1.3 connection that trusts the pinned CAs and nothing else. A session is never kept: a resumed connect with tickets costs as many
 * bytes as a small full handshake without them, and it could be recognised.
 */
export function openTlsSocket(address: { host: string; port: number }, trust: TlsTrust): SecureSocket {
  const host = address.host.replace(/^\[|\]$/g, '');
  const raw = connectTcp({
    host,
    port: address.port,
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressAfterMs,
  });
  const tls = connectTls({
    ...slimHandshake,
    socket: raw,
    ca: [...trust.serverCasPem],
    ...(trust.client ? { key: trust.client.privateKeyPem, cert: trust.client.certificatePem } : {}),
    // With a wrapped socket Node does not know the host: name it, or any certificate of the CA would do. RFC 6066 §3: no address in SNI.
    host,
    ...(isIP(host) === 0 ? { servername: host } : {}),
  });
  return { tls, raw };
}

/**
 * How far a connection got, for the remedy. Somebody took it but said nothing: that is no TLS server that refuses us, for such a one sends an
 * alert (RFC 8446 §6.2), but a door (load balancer, forwarder) with no server behind it.
 */
export function stageReached(stage: Stage, raw: Pick<Socket, 'bytesRead'>): Stage {
  return stage === 'securing' && raw.bytesRead === 0 ? 'connecting' : stage;
}

/** Node tries several addresses and then throws all failures together; the last one is as good as any. */
export function errnoOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return errnoOf(error.errors.at(-1));
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

import type { ErrorCode } from '../../protocol/errors.ts';

/** How far a connection got before it failed. */
export type Stage = 'connecting' | 'securing' | 'talking';
export type NetworkFault = { code: ErrorCode; kind: string };

const byErrno: Readonly<Record<string, ErrorCode>> = {
  ENETUNREACH: 'NET_NO_ROUTE',
  ENETDOWN: 'NET_NO_ROUTE',
  EHOSTUNREACH: 'NET_NO_ROUTE',
  EADDRNOTAVAIL: 'NET_NO_ROUTE',
  ENOTFOUND: 'NET_NAME_UNRESOLVED',
  EAI_AGAIN: 'NET_NAME_UNRESOLVED',
  EAI_FAIL: 'NET_NAME_UNRESOLVED',
  EAI_NODATA: 'NET_NAME_UNRESOLVED',
};

/** OpenSSL's verification results and Node's own TLS errors. */
const tlsPattern =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|EPROTO$)/;

/**
 * Which of the five remedies a network failure needs: the cable (E401), the name (E402), the line or server (E403), certificates or clock (E404).
 *
 * @param errno  `error.code` of Node; undefined when the peer just closed
 */
export function networkFaultOf(errno: string | undefined, stage: Stage): NetworkFault {
  const kind = errno ?? 'closed-by-peer';
  const known = byErrno[kind];
  if (known !== undefined) return { code: known, kind };
  if (tlsPattern.test(kind)) return { code: 'TLS_FAILED', kind };
  // A server that closes inside the handshake refuses it, whatever it calls the reason.
  if (stage === 'securing' && kind !== 'ETIMEDOUT') return { code: 'TLS_FAILED', kind };
  return { code: 'SERVER_UNREACHABLE', kind };
}

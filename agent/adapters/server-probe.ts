/** The way to the server, tried once step by step: name, then connection, then the handshake with our certificate. Nothing is asked of it. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Identity } from '../ports.ts';
import { networkFaultOf, type Stage } from '../rules/network-fault.ts';
import { errnoOf, openTlsSocket } from './tls-socket.ts';

const patienceMs = 5_000;

/** @returns its addresses  @throws TsugiteError NET_NAME_UNRESOLVED */
export async function resolveName(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new TsugiteError('NET_NAME_UNRESOLVED', { host, kind: 'no-answer' })), patienceMs).unref();
  });
  const found = lookup(host, { all: true }).catch((cause: unknown) => {
    throw new TsugiteError('NET_NAME_UNRESOLVED', { host, kind: errnoOf(cause) ?? 'unknown' }, { cause });
  });
  return (await Promise.race([found, late])).map(({ address }) => address);
}

/** @returns what was agreed on and how long it took  @throws TsugiteError NET_NO_ROUTE · NET_NAME_UNRESOLVED · SERVER_UNREACHABLE · TLS_FAILED */
export function tryTls(
  { hostname, port }: { hostname: string; port: number },
  { serverCasPem, privateKeyPem, certificatePem }: Pick<Identity, 'serverCasPem' | 'privateKeyPem' | 'certificatePem'>,
): Promise<{ tls: string; ms: number }> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    let stage: Stage = 'connecting';
    const { raw, tls } = openTlsSocket({ host: hostname, port }, { serverCasPem, client: { privateKeyPem, certificatePem } });
    const end = (error: unknown) => {
      clearTimeout(timer);
      tls.destroy();
      raw.destroy();
      const { code, kind } = networkFaultOf(errnoOf(error), stage);
      reject(new TsugiteError(code, { host: hostname, port, kind }, { cause: error }));
    };
    const timer = setTimeout(() => end(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), patienceMs);
    raw.once('connect', () => {
      stage = 'securing';
    });
    raw.on('error', end);
    tls.on('error', end);
    tls.once('close', () => end(undefined));
    tls.once('secureConnect', () => {
      clearTimeout(timer);
      resolve({ tls: tls.getProtocol() ?? 'unknown', ms: Math.round(performance.now() - startMs) });
      tls.destroy();
    });
  });
}

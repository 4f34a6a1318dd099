import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { TsugiteError } from '../../protocol/errors.ts';
import type { HttpsAnswer, HttpsClient, HttpsRequest } from '../ports/network.ts';
import type { ByteLedger, Cancel, Clock } from '../ports.ts';
import type * as NetworkFault from '../rules/network-fault.ts';
import type * as WireModel from '../rules/wire-model.ts';
import { meterSocket, type SocketMeter } from './socket-meter.ts';
import { errnoOf, openTlsSocket, stageReached } from './tls-socket.ts';

type Outside = { clock: Clock; ledger: ByteLedger; wireModel: typeof WireModel; networkFaultOf: typeof NetworkFault.networkFaultOf };

/** For the head of the answer, and for each next piece of its body. */
const patienceMs = 30_000;
const headerCapBytes = 8 * 1024;
const tlsRecordBytes = 22;

/**
 * HTTPS by node:https, one connection a request: `fetch` would cost an idle agent 11 MB of memory, and the server is asked a few times a month.
 * Nothing is followed, nothing is kept.
 */
export function makeHttpsClient({ clock, ledger, wireModel, networkFaultOf }: Outside): HttpsClient {
  return {
    open(request, signal) {
      return new Promise<HttpsAnswer>((resolve, reject) => {
        const url = new URL(request.url);
        const { raw, tls } = openTlsSocket({ host: url.hostname, port: Number(url.port) || 443 }, request.trust);
        const meter = meterSocket(raw, wireModel, clock);
        let stage: NetworkFault.Stage = 'connecting';
        raw.once('connect', () => {
          stage = 'securing';
        });
        tls.once('secureConnect', () => {
          stage = 'talking';
          if (request.bodyIsPackage) ledger.charge(request.purpose, meter.takeSent(true) + meter.takeReceived());
        });

        const faultOf = (cause: unknown): TsugiteError => {
          if (cause instanceof TsugiteError) return cause;
          const { code, kind } = networkFaultOf(errnoOf(cause), stageReached(stage, raw));
          return new TsugiteError(code, { host: url.hostname, kind }, { cause });
        };
        const sent = httpsRequest({
          method: request.method,
          host: url.hostname,
          port: url.port,
          path: url.pathname + url.search,
          headers: { ...request.headers, ...(request.body ? { 'content-length': request.body.length } : {}) },
          createConnection: () => tls,
          maxHeaderSize: headerCapBytes,
        });
        const giveUp = (kind: string) => () => sent.destroy(new TsugiteError('SERVER_UNREACHABLE', { host: url.hostname, kind }));
        const cancelPatience = clock.after(patienceMs, giveUp('no-answer'));
        const onAbort = giveUp('cancelled');
        signal?.addEventListener('abort', onAbort, { once: true });
        if (signal?.aborted) onAbort();

        let hasAnswer = false;
        sent.once('response', (answer) => {
          hasAnswer = true;
          cancelPatience();
          ledger.charge(
            request.purpose,
            meter.takeSent(true) + meter.takeReceived(request.bodyIsPackage ? headBytesOf(answer) : undefined),
          );
          const body = readBody({ answer, sent, clock, faultOf, onBytes: () => chargeBody(meter, ledger, request) });
          resolve({ status: answer.statusCode ?? 0, header: (name) => headerOf(answer, name), body, close: () => void sent.destroy() });
        });
        sent.on('error', (error) => {
          cancelPatience();
          if (!hasAnswer) reject(faultOf(error));
        });
        raw.on('error', (error) => sent.destroy(error));
        raw.once('close', () => {
          signal?.removeEventListener('abort', onAbort);
          if (hasAnswer) chargeBody(meter, ledger, request);
          ledger.charge(hasAnswer ? request.purpose : 'retry', meter.takeSent(false) + meter.takeReceived());
        });
        sent.end(request.body);
      });
    },
  };
}

function chargeBody(meter: SocketMeter, ledger: ByteLedger, { bodyIsPackage }: HttpsRequest): void {
  if (bodyIsPackage) ledger.chargePackage(meter.takeReceived());
}

/** What the answer's head took on the line, near enough to keep the package's body out of the control bytes. */
function headBytesOf({ rawHeaders }: IncomingMessage): number {
  return rawHeaders.reduce((sum, part) => sum + part.length + 2, 'HTTP/1.1 200 OK\r\n\r\n'.length + tlsRecordBytes);
}

function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name.toLowerCase()];
  return Array.isArray(value) ? value.join(', ') : value;
}

type Reading = {
  answer: IncomingMessage;
  sent: ClientRequest;
  clock: Clock;
  faultOf: (cause: unknown) => TsugiteError;
  onBytes: () => void;
};

async function* readBody({ answer, sent, clock, faultOf, onBytes }: Reading): AsyncGenerator<Buffer> {
  let cancelPatience: Cancel = () => {};
  const pieces = answer[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only our waiting counts, not the time that the reader takes to write a piece to a slow disk.
      cancelPatience = clock.after(patienceMs, () => answer.destroy(new TsugiteError('SERVER_UNREACHABLE', { kind: 'silent-in-body' })));
      const { done, value } = await pieces.next();
      cancelPatience();
      if (done) return;
      onBytes();
      yield value as Buffer;
    }
  } catch (cause) {
    throw faultOf(cause);
  } finally {
    cancelPatience();
    sent.destroy();
  }
}

/** @throws TsugiteError MESSAGE_TOO_LARGE as soon as more than `maxBytes` came */
export async function readAll({ body }: HttpsAnswer, maxBytes: number, what: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new TsugiteError('MESSAGE_TOO_LARGE', { what, limit: maxBytes, actual: bytes });
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

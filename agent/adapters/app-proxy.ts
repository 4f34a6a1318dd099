import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import type * as PageRules from '../rules/page/index.ts';
import { requestApp } from './app-socket.ts';

export type ProxyRequest = {
  request: IncomingMessage;
  response: ServerResponse;
  webSocketPath: string;
  prefix: string;
  isOwnOrigin: boolean;
  rules: Pick<typeof PageRules, 'decideAppAnswer' | 'passedRequestHeaders'>;
  toOwnOrigin(): void;
  unavailable(): void;
};

const silenceMs = 10_000;
const headerCapBytes = 8 * 1024;
const requestCapBytes = 256 * 1024;
const answerCapBytes = 16 * 1024 * 1024;
/** At one time for one app: a page of it, not a way to keep the agent busy. */
const requestsPerApp = 16;

const underWay = new Map<string, number>();

/** Hands one request to an app and its answer back; what may pass is decided by rules/page/app-answer.ts. */
export function proxyToApp(exchange: ProxyRequest): void {
  const { request, response, prefix, webSocketPath, rules, unavailable } = exchange;
  const count = underWay.get(prefix) ?? 0;
  if (count >= requestsPerApp) {
    unavailable();
    return;
  }

  const headers: Record<string, string> = {};
  for (const name of rules.passedRequestHeaders) {
    const value = request.headers[name];
    if (typeof value === 'string') headers[name] = value;
  }
  let asked: ClientRequest;
  try {
    asked = requestApp(
      webSocketPath,
      { method: request.method, path: request.url, headers, timeout: silenceMs, maxHeaderSize: headerCapBytes },
      (answer) => passAnswer(exchange, asked, answer),
    );
  } catch {
    unavailable();
    return;
  }
  underWay.set(prefix, count + 1);
  asked.once('close', () => {
    underWay.set(prefix, (underWay.get(prefix) ?? 1) - 1);
  });
  asked.on('timeout', () => void asked.destroy(new Error('silent')));
  asked.on('error', () => {
    if (response.writableEnded) return;
    if (response.headersSent) response.destroy();
    else unavailable();
  });
  response.once('close', () => void asked.destroy());
  passBody(request, asked, () => {
    response.writeHead(413).end();
    asked.destroy();
  });
}

function passBody(request: IncomingMessage, asked: ClientRequest, tooLarge: () => void): void {
  let bytes = 0;
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > requestCapBytes) {
      request.pause();
      tooLarge();
    } else asked.write(piece);
  });
  request.once('end', () => void asked.end());
  request.once('error', () => void asked.destroy());
}

function passAnswer(
  { response, rules, isOwnOrigin, prefix, toOwnOrigin, unavailable }: ProxyRequest,
  asked: ClientRequest,
  answer: IncomingMessage,
): void {
  const decision = rules.decideAppAnswer({ status: answer.statusCode ?? 0, headers: answer.headers }, { isOwnOrigin, prefix });
  if (decision.kind !== 'pass') {
    // First the answer to the browser: ending the request to the app counts as its failure.
    if (decision.kind === 'to-own-origin') toOwnOrigin();
    else unavailable();
    asked.destroy();
    return;
  }
  response.writeHead(decision.status, decision.headers);
  let bytes = 0;
  answer.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > answerCapBytes) asked.destroy(new Error('too large'));
  });
  answer.once('error', () => void response.destroy());
  answer.pipe(response);
}

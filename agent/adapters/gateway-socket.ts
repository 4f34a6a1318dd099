/** The HTTP server that each app finds at TSUGITE_GATEWAY_SOCKET (DESIGN §6). One app, one socket: who asks is known by where it asks. */

import { closeSync, constants, openSync, unlinkSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, type ErrorCode, TsugiteError } from '../../protocol/errors.ts';
import { type OwnNumbers, ownNumbers, ownNumbersKept } from '../../protocol/messages/own-numbers.ts';
import type { AppSpec, Clock } from '../ports.ts';
import { loadSettings, saveSettings, settingsBytes } from './app-settings.ts';
import { pathOnly } from './app-socket.ts';

export type GatewaySocketHandlers = {
  onReady(): void;
  /** Asked for only with the permission. @throws TsugiteError: what the app is answered */
  onTelemetry(numbers: OwnNumbers): void;
};
export type GatewaySocket = { close(): Promise<void> };

const telemetryBytes = 4 * 1024;
const maxConnections = 16;
const maxWritesPerMinute = 30;
const requestTimeoutMs = 10_000;

/** @param settingsPath  where the agent keeps the app's settings, outside what the app can write */
export async function openGatewaySocket(
  app: AppSpec,
  settingsPath: string,
  clock: Clock,
  handlers: GatewaySocketHandlers,
): Promise<GatewaySocket> {
  const takeWrite = writeBudget(clock);
  const routes: Record<string, (request: IncomingMessage) => Promise<Answer>> = {
    'POST /ready': async (request) => {
      await readBody(request, 1024);
      handlers.onReady();
      return { status: 204 };
    },
    'GET /gateway': async () => ({ status: 200, body: JSON.stringify(gatewayFacts(app)) }),
    'GET /settings': async () => ({ status: 200, body: await loadSettings(settingsPath) }),
    'PUT /settings': async (request) => {
      const body = await readBody(request, settingsBytes);
      parseJson(body);
      takeWrite();
      await saveSettings(settingsPath, body);
      return { status: 204 };
    },
    'POST /telemetry': async (request) => {
      const body = await readBody(request, telemetryBytes);
      if (!app.permissions.telemetry) throw new TsugiteError('APP_PERMISSION_DENIED', { kind: 'telemetry-not-granted' });
      const parsed = ownNumbers.safeParse(parseJson(body));
      if (!parsed.success) throw new TsugiteError('MESSAGE_MALFORMED', { what: 'telemetry', kind: 'own-telemetry', limit: ownNumbersKept });
      takeWrite();
      handlers.onTelemetry(parsed.data);
      return { status: 202 };
    },
  };

  const server = createServer({ connectionsCheckingInterval: 2_000, requestTimeout: requestTimeoutMs, headersTimeout: 5_000 });
  server.maxConnections = maxConnections; // what is above waits for nothing: it is closed at once
  server.maxRequestsPerSocket = 1_000;
  server.setTimeout(30_000);
  server.on('request', (request, response) => {
    const route = routes[`${request.method} ${request.url}`];
    const answer = route ? route(request) : Promise.reject(new TsugiteError('NOT_FOUND', { what: request.url?.slice(0, 100) }));
    answer.catch(refusal).then((value) => send(response, value));
  });
  server.on('clientError', (_, socket) => socket.destroy());

  // By the open folder, not by its path: a unix socket path holds 107 bytes, a data folder may stand deep.
  const folder = openSync(app.socketsDir, pathOnly | constants.O_DIRECTORY);
  removeStale(join(app.socketsDir, 'gateway.sock'));
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ path: `/proc/self/fd/${folder}/gateway.sock`, writableAll: true }, resolve);
    });
  } catch (cause) {
    closeSync(folder);
    throw cause;
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          closeSync(folder);
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** What software may know about where it runs. Nothing about the household, and no id that could be joined with another app's. */
function gatewayFacts(app: AppSpec) {
  const { model, software, version, limits, permissions } = app;
  return { v: 1, model, software, version, limits, permissions };
}

type Answer = { status: number; body?: string };

function refusal(error: unknown): Answer {
  const code: ErrorCode = error instanceof TsugiteError ? error.code : 'INTERNAL_FAULT';
  const detail = error instanceof TsugiteError ? error.detail : {};
  const { number, ja, en } = describe(code, detail);
  return { status: statusOf[code] ?? 500, body: JSON.stringify({ number, code, ja, en }) };
}
const statusOf: Partial<Record<ErrorCode, number>> = {
  NOT_FOUND: 404,
  MESSAGE_TOO_LARGE: 413,
  MESSAGE_MALFORMED: 400,
  APP_PERMISSION_DENIED: 403,
  APP_LIMIT_REACHED: 429,
};

function send(response: ServerResponse, { status, body }: Answer): void {
  const isRefusal = status >= 400;
  response.writeHead(status, {
    ...(body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(body) }),
    ...(isRefusal ? { connection: 'close' } : {}), // the rest of a refused body is not read
  });
  response.end(body);
}

async function readBody(request: IncomingMessage, capBytes: number): Promise<Buffer> {
  const tooLarge = () => new TsugiteError('MESSAGE_TOO_LARGE', { limit: capBytes });
  if (Number(request.headers['content-length'] ?? 0) > capBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > capBytes) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch (cause) {
    throw new TsugiteError('MESSAGE_MALFORMED', { what: 'json' }, { cause });
  }
}

/** Each write is an fsync on the gateway's flash: an app in a loop must not wear it out. */
function writeBudget(clock: Clock): () => void {
  let windowStartMs = clock.monotonicMs();
  let writes = 0;
  return () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - windowStartMs >= 60_000) [windowStartMs, writes] = [nowMs, 0];
    writes += 1;
    if (writes > maxWritesPerMinute) throw new TsugiteError('APP_LIMIT_REACHED', { limit: maxWritesPerMinute, kind: 'writes-per-minute' });
  };
}

function removeStale(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

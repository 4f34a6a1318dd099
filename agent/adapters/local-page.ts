import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { assertNever } from '../../protocol/assert-never.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import type { GatewaySnapshot, LocalPage, SoftwareSnapshot } from '../ports.ts';
import type * as PageRules from '../rules/page/index.ts';
import { proxyToApp } from './app-proxy.ts';
import { makeJsonDocument } from './json-document.ts';

type Needs = { dataDir: string; settings: PageRules.PageSettings; rules: typeof PageRules };

const statusOfRefusal: Readonly<Record<PageRules.Refusal, number>> = {
  malformed: 400,
  host: 421,
  method: 405,
  'not-found': 404,
  callback: 400,
  'service-worker': 403,
  'not-running': 503,
  'cross-site': 403,
};

const portsFile = z.strictObject({ v: z.literal(1), ports: z.record(z.string(), z.int()) });

/** HTTP for the people in the house: one port for the shared page, one for each app's own origin. `<data>/page-ports.json` remembers which. */
export function makeLocalPage({ dataDir, settings, rules }: Needs): LocalPage {
  const document = makeJsonDocument<z.infer<typeof portsFile>>(join(dataDir, 'page-ports.json'), (value) => portsFile.parse(value));
  const styleHash = createHash('sha256').update(rules.pageStyle).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
  let servers: Server[] = [];
  let ports: PageRules.AppPorts = {};

  function portsFor(snapshot: GatewaySnapshot): PageRules.AppPorts {
    const prefixes = snapshot.software.flatMap(({ manifest }) => manifest?.web?.prefix ?? []);
    const next = rules.assignAppPorts(ports, prefixes, settings.appPorts);
    if (next === ports) return ports;
    ports = next;
    try {
      document.save({ v: 1, ports: { ...ports } });
    } catch (error) {
      // On a full disk the page is still shown; the ports are remembered at the next change.
      if (!(error instanceof TsugiteError)) throw error;
    }
    return ports;
  }

  function answer(request: IncomingMessage, response: ServerResponse, snapshot: GatewaySnapshot): void {
    const { host } = request.headers;
    const target = request.url ?? '';
    const known = portsFor(snapshot);
    const refuse = (why: Parameters<typeof rules.renderRefusal>[0], status: number) =>
      send(response, status, 'text/plain; charset=utf-8', rules.renderRefusal(why));
    const redirect = (location: string) => void response.writeHead(302, { location, 'cache-control': 'no-store' }).end();
    const port = request.socket.localPort ?? 0;

    const decision = rules.decidePage(
      { method: request.method ?? '', target, host, headers: request.headers, port },
      snapshot,
      known,
      settings,
    );
    switch (decision.kind) {
      case 'page': {
        const view = { language: decision.language, operatorName: settings.operatorName, addressOf: addressesFor(host, known) };
        send(response, 200, 'text/html; charset=utf-8', rules.renderPage(snapshot, view), { 'content-security-policy': policy });
        break;
      }
      case 'status':
        send(response, 200, 'application/json; charset=utf-8', JSON.stringify(rules.statusOf(snapshot)));
        break;
      case 'redirect':
        redirect(decision.location);
        break;
      case 'refuse':
        refuse(decision.why, statusOfRefusal[decision.why]);
        break;
      case 'app': {
        const { software, isOwnOrigin } = decision;
        const prefix = software.manifest?.web?.prefix ?? '';
        const origin = rules.ownOriginOf(prefix, host, known, settings);
        const unavailable = () => refuse('unavailable', 503);
        const toOwnOrigin = () => (origin === undefined ? unavailable() : redirect(origin + target));
        proxyToApp({ request, response, webSocketPath: software.webSocketPath, prefix, isOwnOrigin, rules, toOwnOrigin, unavailable });
        break;
      }
      default:
        assertNever(decision);
    }
  }

  /** Where a link of the shared page leads: to the app's own origin, never to a page of it under ours. */
  function addressesFor(host: string | undefined, known: PageRules.AppPorts) {
    return (software: SoftwareSnapshot) => {
      const path = rules.pagePathOf(software);
      const origin = rules.ownOriginOf(software.manifest?.web?.prefix ?? '', host, known, settings);
      return path === undefined || origin === undefined ? undefined : origin + path;
    };
  }

  return {
    async start(snapshot) {
      ports = loadPorts(document);
      portsFor(snapshot());
      const rows = settings.listen.flatMap(({ host, port }) => [
        { host, port },
        ...Array.from({ length: settings.appPorts.count }, (_, index) => ({ host, port: settings.appPorts.from + index })),
      ]);
      const unique = rows.filter((row, index) => rows.findIndex(({ host, port }) => host === row.host && port === row.port) === index);
      try {
        for (const row of unique) servers.push(await listen(row, (request, response) => answer(request, response, snapshot())));
      } catch (error) {
        await closeAll(servers);
        servers = [];
        throw error;
      }
    },
    async stop() {
      await closeAll(servers);
      servers = [];
    },
  };
}

function loadPorts(document: { load(): z.infer<typeof portsFile> | undefined }): PageRules.AppPorts {
  try {
    return document.load()?.ports ?? {};
  } catch {
    // Damaged: the apps get ports anew. What a browser stored under the old ones is the household's own.
    return {};
  }
}

function send(response: ServerResponse, status: number, type: string, text: string, more: Record<string, string> = {}): void {
  const body = Buffer.from(text);
  response
    .writeHead(status, {
      'content-type': type,
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      ...more,
    })
    .end(body);
}

/** @throws TsugiteError PORT_IN_USE */
async function listen(
  { host, port }: { host: string; port: number },
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Server> {
  const server = createServer(
    { maxHeaderSize: 8 * 1024, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 5_000, connectionsCheckingInterval: 5_000 },
    handle,
  );
  server.maxConnections = 32;
  server.maxRequestsPerSocket = 100;
  server.timeout = 30_000;
  server.on('clientError', (_error, socket) => void socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(cause.code === 'EADDRINUSE' ? new TsugiteError('PORT_IN_USE', { address: `${host}:${port}` }, { cause }) : cause),
    );
    server.listen(port, host, resolve);
  });
  return server;
}

async function closeAll(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.closeAllConnections();
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => void server.close(() => resolve()))));
}

/** The HTTP API of the people's side: what is the same for every route of the table. */
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Actor } from '../flows/actor.ts';
import type { OncePerKey } from '../flows/once-per-key.ts';
import type { RecogniseCaller } from '../flows/recognise-caller.ts';
import type { Clock, Log } from '../ports.ts';
import { carryOut } from './answer.ts';
import { closeLater, guardConnections, type Patience, serverPatience } from './connections.ts';
import { addDocuments, type ReadDocsFile } from './documents.ts';
import { sendVersion } from './etag.ts';
import { sendFile } from './file.ts';
import { asTsugiteError, connectionProblem, isRefusal, toProblem } from './problem.ts';
import type { Route } from './route.ts';

export const apiPrefix = '/api/v1';
const jsonBytes = 512 * 1024; // ten thousand ids
const headersOfAll = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};
/** The request itself forgets its connection when an upload is cut. */
type Arrival = { readonly atMs: number; readonly socket: Socket };
const nobody: Actor = { name: 'anonymous', role: 'viewer' };

export type ApiParts = {
  readonly routes: readonly Route[];
  readonly callers: RecogniseCaller;
  readonly oncePerKey: OncePerKey;
  readonly clock: Clock;
  readonly log: Log;
  readonly readDocsFile: ReadDocsFile;
  /** Whose X-Forwarded-For is believed. */
  readonly trustedProxies?: readonly string[];
  readonly patience?: Patience;
};

export function makeApi(parts: ApiParts): FastifyInstance {
  const { routes, callers, oncePerKey, clock, log, readDocsFile, trustedProxies = [], patience = serverPatience } = parts;
  const app = fastify({
    logger: false,
    bodyLimit: jsonBytes,
    requestTimeout: patience.uploadMs,
    http: { headersTimeout: patience.headersMs, connectionsCheckingInterval: patience.checkMs },
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
    frameworkErrors: (error, _request, reply) => sendProblem(reply, asTsugiteError(error)),
    clientErrorHandler: (error, socket) => {
      // Before there is a request: headers that are too long, too slow or no HTTP at all.
      if (error.code === 'ECONNRESET' || !socket.writable) return socket.destroy();
      socket.end(connectionProblem(error.code), () => socket.destroy()); // not half open until the other side closes too
    },
  });
  guardConnections(app.server, { patience, trusted: trustedProxies });
  const actors = new WeakMap<FastifyRequest, Actor>();
  const arrivals = new WeakMap<FastifyRequest, Arrival>();

  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  // For whatever comes in, known route or not, before anything of it is read.
  app.addHook('onRequest', async (request) => {
    arrivals.set(request, { atMs: clock.nowMs(), socket: request.raw.socket });
    callers.arrive(request.ip);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    for (const [name, value] of Object.entries(headersOfAll)) if (!reply.hasHeader(name)) reply.header(name, value);
    if (!request.raw.complete && !reply.hasHeader('connection')) reply.header('connection', 'keep-alive'); // see `closeLater`
    return sendVersion(request, reply, payload);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { atMs, socket } = arrivals.get(request) ?? { atMs: clock.nowMs(), socket: undefined };
    // The pattern, not the URL: whatever somebody typed there does not reach the log.
    const route = request.routeOptions.url ?? '(unknown)';
    if (!request.raw.complete && socket !== undefined) closeLater(socket, clock, patience.lingerMs);
    log.info('api.request', {
      method: request.method,
      route,
      status: reply.statusCode,
      ms: clock.nowMs() - atMs,
      actor: actors.get(request)?.name ?? null,
    });
  });
  app.setErrorHandler((thrown, _request, reply) => {
    const error = asTsugiteError(thrown);
    if (error.code === 'INTERNAL_FAULT') log.error('api.fault', { error: error.cause });
    return sendProblem(reply, error);
  });
  app.setNotFoundHandler((_request, reply) => sendProblem(reply, new TsugiteError('NOT_FOUND', { what: 'route' })));

  addDocuments(app, routes, readDocsFile);
  for (const route of routes)
    app.route({
      method: route.method,
      url: apiPrefix + route.path,
      // Before the body is read: an upload of somebody unknown is not even received.
      onRequest: async (request) => {
        const actor = route.roles === 'anyone' ? nobody : await callers.recognise(bearerOf(request), request.ip);
        actors.set(request, actor);
        if (route.roles !== 'anyone' && !route.roles.includes(actor.role)) throw new TsugiteError('API_FORBIDDEN', { role: actor.role });
        if (!route.isUpload) awaitBody(request, clock, patience.bodyMs);
      },
      handler: async (request, reply) => {
        const answered = await carryOut(route, request, actors.get(request) as Actor, { oncePerKey, isRefusal });
        if ('file' in answered) return sendFile(request, reply, answered.file);
        const { json, isReplay, tag } = answered;
        if (isReplay) reply.header('idempotent-replayed', 'true');
        if (tag !== undefined) reply.header('etag', `"${tag}"`);
        return reply.code(route.status).type('application/json; charset=utf-8').send(json);
      },
    });
  return app;
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([\w-]{1,100})$/.exec(request.headers.authorization ?? '')?.[1];
}

/** A body that dribbles in byte by byte would hold its connection for as long as an upload may take. */
function awaitBody({ raw }: FastifyRequest, clock: Clock, ms: number): void {
  const cancel = clock.after(ms, () => {
    if (!raw.complete) raw.destroy();
  });
  raw.once('close', cancel);
}

function sendProblem(reply: FastifyReply, error: TsugiteError): FastifyReply {
  const problem = toProblem(error);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  if (typeof error.detail.retryAfterS === 'number') reply.header('retry-after', String(error.detail.retryAfterS));
  return reply.code(problem.status).type('application/problem+json; charset=utf-8').send(JSON.stringify(problem));
}

/** The HTTP API of the people's side: authentication, validation and problem documents, the same for every route of the table. */
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Actor } from '../flows/actor.ts';
import type { Clock, Log } from '../ports.ts';
import { readCall } from './call.ts';
import { asTsugiteError, toProblem } from './problem.ts';
import type { Route } from './route.ts';

const prefix = '/api/v1';
const jsonBytes = 256 * 1024;
const requestMs = 300_000; // 25 MB over a slow line
const nobody: Actor = { name: 'anonymous', role: 'viewer' };

export type ApiParts = {
  readonly routes: readonly Route[];
  readonly recognise: (token: string | undefined) => Promise<Actor>;
  readonly clock: Clock;
  readonly log: Log;
};

export function makeApi({ routes, recognise, clock, log }: ApiParts): FastifyInstance {
  const app = fastify({
    logger: false,
    bodyLimit: jsonBytes,
    requestTimeout: requestMs,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
  });
  const actors = new WeakMap<FastifyRequest, Actor>();
  const startedAt = new WeakMap<FastifyRequest, number>();

  app.addContentTypeParser('application/octet-stream', (_request, payload, done) => done(null, payload));
  app.addHook('onSend', async (_request, reply) => {
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'content-security-policy': "default-src 'none'" });
  });
  app.addHook('onResponse', async (request, reply) => {
    const ms = clock.nowMs() - (startedAt.get(request) ?? clock.nowMs());
    // The pattern, not the URL: whatever somebody typed there does not reach the log.
    const route = request.routeOptions.url ?? '(unknown)';
    log.info('api.request', { method: request.method, route, status: reply.statusCode, ms, actor: actors.get(request)?.name ?? null });
  });
  app.setErrorHandler((thrown, _request, reply) => {
    const error = asTsugiteError(thrown);
    if (error.code === 'INTERNAL_FAULT') log.error('api.fault', { error: error.cause });
    const problem = toProblem(error);
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
    return reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.setNotFoundHandler((_request, reply) => {
    const problem = toProblem(new TsugiteError('NOT_FOUND', { what: 'route' }));
    return reply.code(404).type('application/problem+json').send(problem);
  });

  for (const route of routes)
    app.route({
      method: route.method,
      url: prefix + route.path,
      // Before the body is read: an upload of somebody unknown is not even received.
      onRequest: async (request) => {
        startedAt.set(request, clock.nowMs());
        const actor = route.roles === 'anyone' ? nobody : await recognise(bearerOf(request));
        actors.set(request, actor);
        if (route.roles !== 'anyone' && !route.roles.includes(actor.role)) throw new TsugiteError('API_FORBIDDEN', { role: actor.role });
      },
      handler: async (request, reply) => {
        const call = readCall(route, request, actors.get(request) as Actor);
        const result = await route.handle(call as never);
        return reply.code(route.status).send(result);
      },
    });
  return app;
}

function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer ([\w-]{1,100})$/.exec(request.headers.authorization ?? '')?.[1];
}

/** Roots, packages and bundles. A package is immutable and named by its digest, so any cache or object store could serve it as well. */
import type { FastifyRequest } from 'fastify';
import { parseGatewayRoute } from '../../protocol/routes.ts';
import { decideRange } from '../rules/byte-range.ts';
import type { GatewayApiParts, GatewayApp } from './app.ts';
import type { Gate } from './guard.ts';
import { refuse } from './refuse.ts';
import { gatewayRoutes } from './route-table.ts';

const immutable = 'private, max-age=31536000, immutable';

/** Where the web server in front has the package files; from outside nobody reaches it. */
const frontStore = '/tsugite-store';

export function addFileRoutes(app: GatewayApp, gate: Gate, { downloads, packages, isBehindFront }: GatewayApiParts): void {
  app.route({
    ...gate.guarded(gatewayRoutes.root),
    handler: async (request, reply) => {
      const route = parseGatewayRoute(pathOf(request));
      const envelope = route?.kind === 'root' ? await downloads.root(route.version) : undefined;
      if (envelope === undefined) return refuse(reply, 404, 'NOT_FOUND');
      return reply.header('Cache-Control', immutable.replace('private', 'public')).type('application/json').send(envelope);
    },
  });

  app.route({
    ...gate.guarded(gatewayRoutes.package),
    handler: async (request, reply) => {
      const route = parseGatewayRoute(pathOf(request));
      if (route?.kind !== 'package') return refuse(reply, 404, 'NOT_FOUND');
      // The same answer whether the package exists or not: a gateway learns nothing about what others get.
      if (!(await downloads.mayFetch(gate.callerIn(request).gateway, route.sha256)))
        return refuse(reply, 403, 'DOWNLOAD_REFUSED', { status: 403 });
      const bytes = await packages.size(route.sha256);
      if (bytes === undefined) return refuse(reply, 404, 'NOT_FOUND');
      if (isBehindFront)
        return reply
          .headers({ 'X-Accel-Redirect': `${frontStore}/${route.sha256}`, 'Cache-Control': immutable })
          .type('application/octet-stream')
          .send('');

      const etag = `"${route.sha256}"`;
      reply.headers({ ETag: etag, 'Accept-Ranges': 'bytes', 'Cache-Control': immutable }).type('application/octet-stream');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      const range = decideRange(request.headers.range, oneOf(request.headers['if-range']), etag, bytes);
      switch (range.kind) {
        case 'unsatisfiable':
          return reply.code(416).header('Content-Range', `bytes */${bytes}`).send();
        case 'part':
          reply
            .code(206)
            .headers({ 'Content-Range': `bytes ${range.start}-${range.end}/${bytes}`, 'Content-Length': range.end - range.start + 1 });
          return reply.send(packages.open(route.sha256, range));
        case 'whole':
          return reply.header('Content-Length', bytes).send(packages.open(route.sha256));
      }
    },
  });

  // Nobody asks for bundles yet: a request for one appears in a notice first, and none is made.
  app.route({ ...gate.guarded(gatewayRoutes.bundle), handler: (_request, reply) => refuse(reply, 404, 'NOT_FOUND') });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split('?', 1)[0] ?? '';
}

/** A header sent twice is no header: which one counts would be the reader's choice. */
function oneOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

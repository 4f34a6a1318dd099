/** `/api/openapi.json` and the page that shows it, `/api/docs`. Both are for everybody: they say nothing that the source does not. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';

export const documentPaths = ['/api/openapi.json', '/api/docs', '/api/docs/:file'];
export type ReadDocsFile = (name: 'swagger-ui-bundle.js' | 'swagger-ui.css') => Promise<Buffer>;

const apiVersion = '1.0.0';
/** Nothing from elsewhere, nothing inline. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = `<!doctype html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tsugite API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
// Without validatorUrl: null the page sends the document to a service on the internet.
const start = `window.addEventListener('load', () => {
  window.ui = SwaggerUIBundle({
    url: '/api/openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    validatorUrl: null,
    persistAuthorization: false,
    defaultModelsExpandDepth: 0,
    docExpansion: 'list',
    presets: [SwaggerUIBundle.presets.apis],
    layout: 'BaseLayout',
  });
});
`;

export function addDocuments(app: FastifyInstance, routes: readonly Route[], readDocsFile: ReadDocsFile): void {
  const document = JSON.stringify(openApiDocument(routes, apiVersion));
  const [jsonPath = '', pagePath = '', filePath = ''] = documentPaths;
  app.get(jsonPath, (_request, reply) => send(reply, 'application/json; charset=utf-8', document));
  app.get(pagePath, (_request, reply) => send(reply, 'text/html; charset=utf-8', page));
  app.get<{ Params: { file: string } }>(filePath, async ({ params: { file } }, reply) => {
    if (file === 'start.js') return send(reply, 'text/javascript; charset=utf-8', start);
    if (file === 'swagger-ui-bundle.js') return send(reply, 'text/javascript; charset=utf-8', await readDocsFile(file));
    if (file === 'swagger-ui.css') return send(reply, 'text/css; charset=utf-8', await readDocsFile(file));
    return reply.callNotFound();
  });
}

function send(reply: FastifyReply, type: string, body: string | Buffer): FastifyReply {
  return reply.type(type).headers({ 'content-security-policy': pagePolicy, 'cache-control': 'no-cache' }).send(body);
}

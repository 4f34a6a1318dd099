/** The OpenAPI 3.1 document, made from the route table: what the server does and what it says of itself are one text. */
import * as z from 'zod/mini';
import { mostItems } from './fields.ts';
import { problemResponses, problemSchema, statusesOf } from './openapi-problems.ts';
import type { Example, Route } from './route.ts';

type Json = Readonly<Record<string, unknown>>;

const about = `配信サーバーの API です。誤りはすべて RFC 9457 の形式で、番号（E932 など）と対処を日本語と英語で返します。
エミュレーション環境です。NTT東日本が提供するものではありません。

The API of the delivery server. Failures are problem documents (RFC 9457) with our number, and the remedy in both languages.

- **Tokens.** \`Authorization: Bearer tsugite_…\`. Each has a role (operator, provider, technician, viewer) and ends; \`POST /tokens/replace\` renews it.
  Each operation lists the roles that may call it. For a provider, whatever is another's does not exist.
- **Lists.** \`limit\` and \`after\`, the key of the last item seen; \`next\` is the next \`after\`, or null.
- **Sending again.** Where an operation takes an \`Idempotency-Key\`, the same request with the same key is carried out once, for a day.
- **Polling.** Every GET has an \`ETag\`; with \`If-None-Match\` what has not changed is answered by 304.
- **Limits.** Requests are counted per address and per token; 429 says in \`Retry-After\` how long to wait.
- **お客さまID** stands in bodies of POST only, never in an address.`;

export function openApiDocument(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Tsugite（継手）', version, description: about, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    tags: [...new Set(routes.map(tagOf))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'tsugite-server token create' } },
      schemas: { Problem: problemSchema },
      responses: problemResponses(),
      parameters: {
        limit: inQuery('limit', 'How many items a page has', { type: 'integer', minimum: 1, maximum: mostItems, default: 200 }),
        key: inHeader('Idempotency-Key', 'The same request with the same key is carried out once (for 24 hours)', '^[A-Za-z0-9_-]{8,100}$'),
        ifNoneMatch: inHeader('If-None-Match', 'The ETag of the answer that the caller has'),
        ifMatch: inHeader('If-Match', 'The ETag of what the caller has seen: refused when it is another one by now'),
      },
    },
  };
}

function operationOf(route: Route): Json {
  const { method, roles, summary, status } = route;
  const isOpen = roles === 'anyone';
  return {
    operationId: operationId(route),
    tags: [tagOf(route)],
    summary,
    description: isOpen ? 'Anyone, without a token.' : `For: ${roles.join(', ')}.`,
    'x-roles': isOpen ? ['anyone'] : roles,
    ...(isOpen ? { security: [] } : {}),
    parameters: parametersOf(route),
    ...bodyOf(route),
    responses: {
      [status]: {
        description: status === 201 ? 'Done' : 'The answer',
        headers: method === 'GET' ? { ETag: { schema: { type: 'string' }, description: 'Version of this answer' } } : {},
        content: contentOf(route),
      },
      ...(method === 'GET' ? { '304': { description: 'As the caller has it' } } : {}),
      ...Object.fromEntries(statusesOf(route).map((one) => [one, { $ref: `#/components/responses/Problem${one}` }])),
    },
  };
}

function parametersOf(route: Route): Json[] {
  const component = (name: string) => ({ $ref: `#/components/parameters/${name}` });
  return [
    ...fieldsOf(route.params, 'path', route.example?.params),
    ...fieldsOf(route.query, 'query', route.example?.query),
    ...(route.list === undefined ? [] : [component('limit'), inQuery('after', 'Key of the last item seen', jsonSchema(route.list))]),
    ...(route.oncePerKey === true ? [component('key')] : []),
    ...(route.method === 'GET' ? [component('ifNoneMatch')] : []),
    ...(route.takesIfMatch === true ? [component('ifMatch')] : []),
  ];
}

function fieldsOf(schema: z.ZodMiniType | undefined, place: 'path' | 'query', shown: Readonly<Record<string, string>> = {}): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema) as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, field]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: field,
    ...(shown[name] === undefined ? {} : { example: shown[name] }),
  }));
}

function bodyOf({ isUpload, body, example }: Route): Json {
  if (isUpload === true) {
    const bytes = {
      'application/octet-stream': { schema: { type: 'string', format: 'binary', contentMediaType: 'application/octet-stream' } },
    };
    return { requestBody: { required: true, description: 'The bytes, as they are', content: bytes } };
  }
  if (body === undefined) return {};
  const content = { schema: jsonSchema(body), ...(example?.body === undefined ? {} : { example: example.body }) };
  return { requestBody: { required: true, content: { 'application/json': content } } };
}

function contentOf(route: Route): Json {
  const text = { schema: { type: 'string' } };
  if (route.isFile === true) return { 'application/json': {}, 'text/csv': text, 'text/html': text };
  const { example } = route;
  const shown = example === undefined ? {} : { example: answerShown(route, example) };
  return { 'application/json': { schema: answerOf(route), ...shown } };
}

function answerOf({ answer, list }: Route): Json {
  const one = answer === undefined ? {} : jsonSchema(answer, 'output');
  if (list === undefined) return one;
  return {
    type: 'object',
    properties: { items: { type: 'array', items: one, maxItems: mostItems }, next: { type: ['string', 'null'] } },
    required: ['items', 'next'],
    additionalProperties: false,
  };
}

function answerShown({ list }: Route, { answer }: Example): unknown {
  return list === undefined ? answer : { items: [answer], next: null };
}

function inQuery(name: string, description: string, schema: Json): Json {
  return { name, in: 'query', description, required: false, schema };
}

function inHeader(name: string, description: string, pattern?: string): Json {
  return { name, in: 'header', description, required: false, schema: { type: 'string', ...(pattern === undefined ? {} : { pattern }) } };
}

/** What the caller writes (`input`) or reads (`output`). A check that JSON Schema cannot say is left out: the server still makes it. */
function jsonSchema(schema: z.ZodMiniType, io: 'input' | 'output' = 'input'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: ({ jsonSchema: made }) => {
      // The calendar as a pattern of three lines: "format" says it.
      if (made.format === 'date-time') delete made.pattern;
    },
  });
  return rest;
}

const tagOf = ({ path }: Route): string => path.split('/')[1] ?? '';

/** `postTargetsTargetRetry` */
function operationId({ method, path }: Route): string {
  const words = path.split(/[/:-]+/).filter((word) => word !== '');
  return method.toLowerCase() + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('');
}

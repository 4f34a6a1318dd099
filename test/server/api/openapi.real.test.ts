import { registerSchema, validate } from '@hyperjump/json-schema/openapi-3-1';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type * as z from 'zod/mini';
import { catalogue } from '../../../protocol/errors.ts';
import { statusOf } from '../../../server/api/problem.ts';
import { answerSchema } from '../../support/answers.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

type Operation = {
  operationId: string;
  summary: string;
  'x-roles': string[];
  security?: unknown[];
  parameters: { name?: string; in?: string; $ref?: string }[];
  requestBody?: { content: Record<string, { schema: object; example?: unknown }> };
  responses: Record<string, { $ref?: string; content?: Record<string, { schema: object; example?: unknown }> }>;
};
type Document = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { responses: Record<string, { content: Record<string, { example: { number: string; code: string; status: number } }> }> };
};

let rig: PeopleSideRig;
let document: Document;
beforeAll(async () => {
  rig = await aPeopleSide();
  document = (await rig.app.inject({ method: 'GET', url: '/api/openapi.json' })).json();
});
afterAll(() => rig.stop());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
const nameOf = ({ method, path }: { method: string; path: string }) => `${method} ${path}`;

describe('the OpenAPI document', () => {
  test('is one by the official schema of OpenAPI 3.1, its dialect of JSON Schema included', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const verdict = await validate('https://spec.openapis.org/oas/3.1/schema-base', document as never);
    expect(verdict).toEqual({ valid: true });
    const broken = structuredClone(document) as unknown as { paths: Record<string, { get: { parameters: unknown } }> };
    (broken.paths['/gateways'] as { get: { parameters: unknown } }).get.parameters = [{ name: 'limit' }];
    expect(await validate('https://spec.openapis.org/oas/3.1/schema-base', broken as never)).toMatchObject({ valid: false });
  });

  test('has every route of the table and no other, each once, with its roles', () => {
    const told = operations().map(({ path, method, operation }) => [`${method.toUpperCase()} ${path}`, operation['x-roles']]);
    const table = rig.routes.map(({ method, path, roles }) => [
      `${method} ${path.replace(/:(\w+)/g, '{$1}')}`,
      roles === 'anyone' ? ['anyone'] : roles,
    ]);
    expect(told.sort()).toEqual(table.sort());
    const ids = operations().map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('asks for a token everywhere but where anyone may come', () => {
    const open = operations().filter(({ operation }) => operation.security?.length === 0);
    expect(open.map(({ path }) => path)).toEqual(['/health']);
  });

  test('shows failures as the server answers them, with number, code and status', () => {
    const shown = Object.values(document.components.responses).map((response) => Object.values(response.content)[0]?.example);
    for (const problem of shown) {
      const code = problem?.code as keyof typeof catalogue;
      expect([code, problem?.number, problem?.status]).toEqual([code, catalogue[code].number, statusOf(code)]);
    }
    expect(shown.map((problem) => problem?.status).sort()).toEqual([400, 401, 403, 404, 409, 412, 422, 429, 500, 503]);
  });

  test('every route says what it answers, and shows it', () => {
    const silent = rig.routes.filter(({ isFile, answer, example }) => isFile !== true && (answer === undefined || example === undefined));
    expect(silent.map(nameOf)).toEqual([]);
  });

  test('every example is what the schemas of its route say', () => {
    for (const route of rig.routes) {
      const { example, params, query, body, list } = route;
      if (example === undefined) continue;
      const faults = [
        params?.safeParse(example.params).error,
        query?.safeParse(example.query ?? {}).error,
        body?.safeParse(example.body ?? {}).error,
        answerSchema(route)?.safeParse(list === undefined ? example.answer : { items: [example.answer], next: null }).error,
      ].filter((error): error is z.core.$ZodError => error !== undefined);
      expect([nameOf(route), faults.map(({ issues }) => issues)]).toEqual([nameOf(route), []]);
    }
  });

  test('every example in it is what its own JSON Schema says', async () => {
    const wrong: string[] = [];
    for (const { path, method, operation } of operations()) {
      const contents = [operation.requestBody, ...Object.values(operation.responses)].flatMap((one) => Object.values(one?.content ?? {}));
      for (const [at, { schema, example }] of contents.entries()) {
        if (example === undefined) continue;
        const id = `https://tsugite.test/${operation.operationId}/${at}`;
        registerSchema({ ...schema, $schema: 'https://json-schema.org/draft/2020-12/schema' } as never, id);
        if (!(await validate(id, example as never)).valid) wrong.push(`${method} ${path} ${at}`);
      }
    }
    expect(wrong).toEqual([]);
  });
});

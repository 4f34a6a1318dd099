/** What a request asks for, read once: every field checked against its route's schemas, and all faults told at once. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import * as z from 'zod/mini';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Actor } from '../flows/actor.ts';
import { limit } from './fields.ts';
import type { Call, Route } from './route.ts';

type Fault = { readonly field: string; readonly fault: string };
const mostFaults = 20;
/** Of a body: far more than any schema has. */
const deepest = 20;
const nothing = z.strictObject({});

/** @throws TsugiteError INPUT_REFUSED naming every faulty field */
export function readCall(route: Route, request: FastifyRequest, actor: Actor): Call<unknown, unknown, unknown, unknown> {
  const faults: Fault[] = [];
  const read = (schema: z.ZodMiniType, value: unknown): unknown => {
    const parsed = schema.safeParse(value);
    faults.push(...badText(value, []), ...(parsed.error?.issues ?? []).map(faultOf));
    return parsed.data;
  };
  const { page, query } = split(route, request.query as Record<string, unknown>);
  const call = {
    actor,
    params: read(route.params ?? nothing, request.params),
    body: route.isUpload ? undefined : read(route.body ?? nothing, request.body ?? {}),
    query: read(route.query ?? nothing, query),
    page: (route.list === undefined ? undefined : read(pageOf(route.list), page)) as never,
    stream: route.isUpload ? (request.body as Readable) : (undefined as never),
    ifMatch: route.takesIfMatch === true ? request.headers['if-match'] : undefined,
  };
  if (route.isUpload && typeof (request.body as Readable | undefined)?.pipe !== 'function')
    faults.push({ field: '(body)', fault: 'application/octet-stream is needed' });
  if (faults.length > 0) throw new TsugiteError('INPUT_REFUSED', { faults: faults.slice(0, mostFaults) });
  return call;
}

const pageOf = (key: z.ZodMiniType) => z.strictObject({ limit, after: z.optional(key) });

/** A list's own two parameters, and those of its route. */
function split({ list }: Route, given: Record<string, unknown>): { page: object; query: object } {
  if (list === undefined) return { page: {}, query: given };
  const { limit: most, after, ...query } = given;
  return { page: { ...(most === undefined ? {} : { limit: most }), ...(after === undefined ? {} : { after }) }, query };
}

function faultOf(issue: z.core.$ZodIssue): Fault {
  const unknown = issue.code === 'unrecognized_keys' ? `: ${issue.keys.map((key) => key.slice(0, 50)).join(', ')}` : '';
  return { field: issue.path.map(String).join('.') || '(top)', fault: `${issue.message}${unknown}`.slice(0, 300) };
}

/** PostgreSQL takes no NUL, and half a surrogate pair is no character: either would fail, or change, far from here. */
function badText(value: unknown, at: readonly string[]): Fault[] {
  const fault = (what: string) => [{ field: at.map((key) => key.slice(0, 50)).join('.') || '(top)', fault: what }];
  if (typeof value === 'string') return /\0|\p{Surrogate}/u.test(value) ? fault('holds what is no character') : [];
  if (value === null || typeof value !== 'object') return [];
  if (at.length === deepest) return fault(`more than ${deepest} levels deep`);
  return Object.entries(value).flatMap(([key, entry]) => badText(entry, [...at, key]));
}

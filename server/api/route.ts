/**
 * The table that every route of the people's side stands in: who may call it, what it takes, what it does, what it answers.
 *
 * How to write a route: one `route({…})` in server/api/routes/<room>.ts, joined in server/compose/people-side.ts.
 * - `params`, `query`, `body` are zod/mini strict objects with every field bounded. What has no schema may not be sent. All faults are told at once.
 * - `answer` is the schema of the JSON that goes out (a Date goes out as `time` of fields.ts), of a list the schema of one item. The tests' people side
 *   holds every answer to it, so it is what the OpenAPI document says and what callers can rely on.
 * - `example` shows a call that works: its body and its answer. It stands in the OpenAPI document, and a test sends it.
 * - `list: gatewayId` makes a list: it takes `?limit=` and `?after=`, where `after` is the key (a gateway id) of the last item seen. The handler gets
 *   `page` and answers `{ items, next }` by `pageOf` of server/flows/page.ts. Order by something that never changes.
 * - `oncePerKey: true` lets callers send an `Idempotency-Key`: the same request again gets the answer of the first and does nothing. Only for a handler
 *   whose whole effect is a few short database transactions, and whose answer is no secret: it is kept for a day.
 * - `tag` gives the answer's ETag where a version says more than the bytes (every other GET has one made from its bytes; `If-None-Match` works
 *   everywhere). `takesIfMatch` hands the caller's `If-Match` to the handler, which throws VERSION_CHANGED when it is another one by now.
 * - `isFile: true` answers with a file instead of JSON: the handler gives a `FileAnswer` of server/api/file.ts, which is sent as it is read.
 */
import type { Readable } from 'node:stream';
import type * as z from 'zod/mini';
import type { Actor, Role } from '../flows/actor.ts';
import type { Page } from '../flows/page.ts';

export type Call<Params, Body, Query, Key> = {
  readonly actor: Actor;
  readonly params: Params;
  readonly body: Body;
  readonly query: Query;
  /** Of a list. */
  readonly page: Page<Key>;
  readonly stream: Readable;
  /** The version that the caller has seen, where the route takes one. */
  readonly ifMatch: string | undefined;
};

type Schema = z.ZodMiniType | undefined;
type Value<S extends Schema> = S extends z.ZodMiniType ? z.infer<S> : undefined;

export type Example = {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** As JSON; of a list one item. */
  readonly answer: unknown;
};

type Told = {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`. Never a place for an お客さまID. */
  readonly path: string;
  readonly roles: readonly Role[] | 'anyone';
  readonly summary: string;
  /** The body is bytes and is handed on as they come. */
  readonly isUpload?: boolean;
  readonly isFile?: boolean;
  readonly answer?: z.ZodMiniType;
  readonly example?: Example;
  readonly oncePerKey?: boolean;
  readonly takesIfMatch?: boolean;
};

export type Route = Told & {
  readonly params?: Schema;
  readonly body?: Schema;
  readonly query?: Schema;
  readonly list?: Schema;
  readonly tag?: (answer: never) => string;
  readonly status: 200 | 201;
  readonly handle: (call: Call<never, never, never, never>) => Promise<unknown>;
};

export const everyRole: readonly Role[] = ['operator', 'provider', 'technician', 'viewer'];

/** Writes a route with the types of its schemas. */
export function route<
  Result,
  P extends Schema = undefined,
  B extends Schema = undefined,
  Q extends Schema = undefined,
  K extends Schema = undefined,
>(
  definition: Told & {
    params?: P;
    body?: B;
    query?: Q;
    list?: K;
    status?: 200 | 201;
    tag?: (answer: NoInfer<Result>) => string;
    handle: (call: Call<Value<P>, Value<B>, Value<Q>, Value<K>>) => Promise<Result>;
  },
): Route {
  return { status: 200, ...definition, handle: definition.handle as Route['handle'] } as Route;
}

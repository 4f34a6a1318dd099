/** The table that every route of the people's side stands in: who may call it, what it takes, what it does. */
import type { Readable } from 'node:stream';
import type * as z from 'zod/mini';
import type { Actor, Role } from '../flows/actor.ts';

export type Call<Params, Body, Query> = {
  readonly actor: Actor;
  readonly params: Params;
  readonly body: Body;
  readonly query: Query;
  readonly stream: Readable;
};

type Schema = z.ZodMiniType | undefined;
type Value<S extends Schema> = S extends z.ZodMiniType ? z.infer<S> : undefined;

export type Route = {
  readonly method: 'GET' | 'POST';
  /** Below `/api/v1`. Never a place for an お客さまID. */
  readonly path: string;
  readonly roles: readonly Role[] | 'anyone';
  readonly summary: string;
  readonly params?: Schema;
  readonly body?: Schema;
  readonly query?: Schema;
  /** The body is bytes and is handed on as they come. */
  readonly isUpload?: boolean;
  readonly status: 200 | 201;
  readonly handle: (call: Call<never, never, never>) => Promise<unknown>;
};

export const everyRole: readonly Role[] = ['operator', 'provider', 'technician', 'viewer'];

/** Writes a route with the types of its schemas. */
export function route<P extends Schema = undefined, B extends Schema = undefined, Q extends Schema = undefined>(definition: {
  method: 'GET' | 'POST';
  path: string;
  roles: readonly Role[] | 'anyone';
  summary: string;
  params?: P;
  body?: B;
  query?: Q;
  isUpload?: boolean;
  status?: 200 | 201;
  handle: (call: Call<Value<P>, Value<B>, Value<Q>>) => Promise<unknown>;
}): Route {
  return { status: 200, ...definition, handle: definition.handle as Route['handle'] };
}

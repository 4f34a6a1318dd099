/** One call from its request to the JSON of its answer, once per `Idempotency-Key` where there is one. */
import type { FastifyRequest } from 'fastify';
import { TsugiteError } from '../../protocol/errors.ts';
import type { Actor } from '../flows/actor.ts';
import type { OncePerKey } from '../flows/once-per-key.ts';
import { readCall } from './call.ts';
import type { FileAnswer } from './file.ts';
import type { Route } from './route.ts';

export type Answered = { readonly json: string; readonly isReplay?: boolean; readonly tag?: string };
/** JSON, or with `isFile` a file. */
export type Carried = Answered | { readonly file: FileAnswer };

export async function carryOut(
  route: Route,
  request: FastifyRequest,
  actor: Actor,
  { oncePerKey, isRefusal }: { oncePerKey: OncePerKey; isRefusal: (error: unknown) => boolean },
): Promise<Carried> {
  const call = readCall(route, request, actor);
  const handle = () => route.handle(call as never);
  const key = keyOf(route, request);
  if (key === undefined || actor.token === undefined) {
    const answer = await handle();
    if (route.isFile === true) return { file: answer as FileAnswer };
    return { json: JSON.stringify(answer), ...(route.tag === undefined ? {} : { tag: route.tag(answer as never) }) };
  }
  const { method, params, query, body } = request;
  const wanted = { token: actor.token, key, request: [method, route.path, params, query, body ?? null] };
  return oncePerKey(wanted, handle, isRefusal);
}

/** draft-ietf-httpapi-idempotency-key-header: a quoted string; most clients send it bare. */
function keyOf(route: Route, request: FastifyRequest): string | undefined {
  const given = request.headers['idempotency-key'];
  if (given === undefined) return undefined;
  const key = /^("?)([A-Za-z0-9_-]{8,100})\1$/.exec(String(given))?.[2];
  if (key !== undefined && route.oncePerKey === true) return key;
  // Not ignored: whoever sends one relies on it.
  const fault = route.oncePerKey === true ? '8 to 100 letters, digits, - and _' : 'this route takes none';
  throw new TsugiteError('INPUT_REFUSED', { faults: [{ field: 'Idempotency-Key', fault }] });
}

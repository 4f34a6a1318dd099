/** Holds every answer of a test's server to what its route says of it: what the OpenAPI document promises is what callers get. */
import * as z from 'zod/mini';
import { apiPrefix } from '../../server/api/app.ts';
import type { Route } from '../../server/api/route.ts';

export function routeOf(routes: readonly Route[], method: string, url: string): Route | undefined {
  const path = url.replace(apiPrefix, '').split('?', 1)[0] ?? '';
  const fits = (pattern: string) => new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path);
  // A fixed path wins over one with a parameter, as in the router.
  const [first] = routes.filter((one) => one.method === method && fits(one.path)).sort((one, other) => holes(one) - holes(other));
  return first;
}

const holes = ({ path }: Route): number => path.split(':').length;

export function answerSchema({ answer, list }: Route): z.ZodMiniType | undefined {
  if (answer === undefined || list === undefined) return answer;
  return z.strictObject({ items: z.array(answer), next: z.nullable(z.string()) });
}

/** @throws Error naming the route and what differs */
export function verifyAnswer(routes: readonly Route[], method: string, url: string, reply: { status: number; body: unknown }): void {
  const route = routeOf(routes, method, url);
  if (route === undefined || reply.status >= 300) return;
  const parsed = answerSchema(route)?.safeParse(reply.body);
  if (parsed?.success === false)
    throw new Error(`${route.method} ${route.path} answers what it does not say: ${JSON.stringify(parsed.error.issues).slice(0, 2_000)}`);
}

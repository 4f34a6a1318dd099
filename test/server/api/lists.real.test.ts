import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Route } from '../../../server/api/route.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { type Call, shownCall } from '../../support/shown-world.ts';

/** Routes that make what lists show. */
const several = ['/certificate-requests', '/work-orders', '/applications', '/software/:software/complaints', '/uploads'];

let rig: PeopleSideRig;
let calls: { route: Route; call: Call }[];
beforeAll(async () => {
  rig = await aPeopleSide();
  const lists = rig.routes.filter(({ list }) => list !== undefined);
  const close = rig.routes.find(({ path }) => path.endsWith('/close')) as Route;
  const { who, method, url, body } = await shownCall(rig, close);
  expect((await rig.ask(who, method, url, body)).status).toBe(close.status);
  const makers = rig.routes.filter(({ method, path }) => method === 'POST' && several.includes(path));
  expect(makers).toHaveLength(several.length);
  for (let round = 0; round < 3; round += 1)
    for (const route of makers) {
      const made = await shownCall(rig, route);
      await rig.ask(made.who, made.method, made.url, made.body);
    }
  calls = [];
  // Each list's story leaves something behind for the others.
  for (const route of lists) {
    const call = await shownCall(rig, route);
    const everything = { ...call, url: call.url.split('?', 1)[0] ?? '' };
    const isAsked = (await rig.ask(call.who, call.method, everything.url, call.body)).status === 200;
    calls.push({ route, call: isAsked ? everything : call });
  }
  for (const event of ['start-rental', 'end-rental', 'cancel-phone'])
    await rig.ask('operator', 'POST', '/contract/events', { at: placeOf('/contract/events/search'), event: { kind: event, detail: {} } });
});
afterAll(() => rig.stop());

const placeOf = (path: string) => (calls.find(({ route }) => route.path === path) as { call: { body: { at: object } } }).call.body.at;
type Page = { items: Record<string, unknown>[]; next: string | null };
async function page({ who, method, url, body }: Call, query: string): Promise<Page> {
  const reply = await rig.ask(who, method, `${url}${url.includes('?') ? '&' : '?'}${query}`, body);
  expect([url, query, reply.status]).toEqual([url, query, 200]);
  return reply.body as Page;
}
/** Without what another request changes. */
const settled = (items: Page['items']) => items.map((item) => JSON.stringify({ ...item, lastUsedAt: null }));

describe('a list', () => {
  test('is the same page by page as all at once, each item once and in its order', async () => {
    let long = 0;
    for (const { route, call } of calls.filter(({ route: { path } }) => path !== '/audit')) {
      const whole = await page(call, 'limit=1000');
      expect([route.path, whole.next]).toEqual([route.path, null]);
      if (whole.items.length > 2) long += 1;
      for (const limit of [1, 2]) {
        const seen: Page['items'] = [];
        let next: string | null | undefined;
        do {
          const some: Page = await page(call, `limit=${limit}${next ? `&after=${encodeURIComponent(next)}` : ''}`);
          expect(some.items.length).toBeLessThanOrEqual(limit);
          seen.push(...some.items);
          next = some.next;
        } while (next !== null && seen.length <= whole.items.length);
        expect([route.path, limit, settled(seen)]).toEqual([route.path, limit, settled(whole.items)]);
      }
    }
    expect(long).toBeGreaterThan(10);
  });

  test('of which every route bounds a page: a thousand at most, two hundred unless asked', async () => {
    for (const { route, call } of calls)
      for (const limit of ['0', '-1', '1001', '1e3', '10 ', '', 'all']) {
        const url = `${call.url}${call.url.includes('?') ? '&' : '?'}limit=${encodeURIComponent(limit)}`;
        const { status, body } = await rig.ask(call.who, call.method, url, call.body);
        const faults = (body.context as { faults: { field: string }[] } | undefined)?.faults.map(({ field }) => field);
        expect([route.path, limit, status, faults]).toEqual([route.path, limit, 400, ['limit']]);
      }
  });

  test('goes on where it was when items come before and after the one last seen', async () => {
    const call: Call = { who: 'operator', method: 'GET', url: '/providers', body: undefined };
    for (const name of ['list-b', 'list-d', 'list-f']) await rig.aProvider(name);
    expect((await page(call, 'limit=1&after=list-a')).items).toMatchObject([{ provider: 'list-b' }]);
    for (const name of ['list-a', 'list-c']) await rig.aProvider(name);
    const rest = await page(call, 'limit=1000&after=list-b');
    expect(rest.items.map(({ provider }) => provider).filter((name) => String(name).startsWith('list-'))).toEqual([
      'list-c',
      'list-d',
      'list-f',
    ]);
  });
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { shownCall } from '../../support/shown-world.ts';

let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
});
afterAll(() => rig.stop());

test('every example is answered by the server as it shows', async () => {
  const wrong: unknown[] = [];
  for (const route of rig.routes) {
    if (route.example === undefined) continue;
    const { who, method, url, body } = await shownCall(rig, route);
    const reply = await rig.ask(who, method, url, body);
    const name = `${method} ${route.path}`;
    if (reply.status !== route.status) wrong.push([name, reply.status, reply.body.number, reply.body.en]);
    else if (route.list === undefined) {
      const [real, told] = [Object.keys(reply.body).sort(), Object.keys(route.example.answer as object).sort()];
      if (JSON.stringify(real) !== JSON.stringify(told)) wrong.push([name, real, told]);
    }
  }
  expect(wrong).toEqual([]);
});

/** A server that sends just enough never to seem silent. The agent's clock, patience and all, runs twenty times as fast: seven minutes in twenty seconds. */
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installedOn } from '../support/at-the-gateway.ts';
import { aGoodPackage, aWish, entryAfter, newestSeq, noticesOf, report, stateSeen } from '../support/attack.ts';
import { ago, aHomeUnderAttack, type HomeUnderAttack } from '../support/home-under-attack.ts';
import { aPretendedClock } from '../support/pretended-clock.ts';

let home: HomeUnderAttack;
beforeAll(async () => {
  home = await aHomeUnderAttack();
}, 90_000);
afterAll(() => home.stop(), 30_000);

test('slow retrieval', async () => {
  const { thief, gateway } = home;
  const tsg = aGoodPackage(home, 'slow.demo');
  const wish = { ...aWish('slow', thief.serve(tsg), tsg), deadline: ago(-420_000) };
  const tries: number[] = [];
  thief.answer(wish.package, (request, response) => {
    tries.push(0);
    response.writeHead(200, { 'content-length': tsg.length });
    const drip = setInterval(() => {
      response.write(Buffer.alloc(1));
      tries.splice(-1, 1, (tries.at(-1) ?? 0) + 1);
    }, 100);
    request.socket.once('close', () => clearInterval(drip));
  });
  const { LD_PRELOAD = '' } = aPretendedClock(path.join(home.world.folder, 'clock'), Date.now()).environment;
  const seq = await newestSeq(home);
  await gateway.stop();
  gateway.start({ LD_PRELOAD, FAKETIME: '+0 x20' });
  await entryAfter(home, seq, ({ event }) => event === 'link.online', 40_000);
  const before = installedOn(gateway);
  await noticesOf(home).wish(wish);
  const failed = await report(home, 'the failure', ({ software, kind }) => software === 'slow.demo' && kind === 'failure', 60_000);
  expect(failed).toMatchObject({ code: 'DEADLINE_PASSED', detail: { last: 'DOWNLOAD_TOO_SLOW' } });
  expect(tries.length).toBeGreaterThan(3);
  expect(Math.max(...tries)).toBeLessThan(1_000); // bytes: it hangs up
  expect(installedOn(gateway)).toEqual(before);
  await stateSeen(home, 'demo.ipv4', /^running/);
});

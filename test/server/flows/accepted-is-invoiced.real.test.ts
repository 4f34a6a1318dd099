import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

/** From what a person said yes to, to the paper that comes: the same yen (D-22, B-1, B-6). */
let rig: PeopleSideRig;
beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
});
afterAll(() => rig.stop());

const setTime = (text: string) => {
  rig.clock.offsetMs = Date.parse(text) - Date.now();
};
async function publish(...packages: Buffer[]): Promise<{ oneOffYen: number; monthlyYen: number; firstChargedMonth: string }> {
  const releases: string[] = [];
  for (const bytes of packages) releases.push(String((await rig.upload(bytes)).body.release));
  const { body } = await rig.ask('provider:acme', 'POST', '/registrations/quote', { releases });
  const { oneOffYen, monthlyYen, firstChargedMonth } = body as { oneOffYen: number; monthlyYen: number; firstChargedMonth: string };
  const registered = await rig.ask('provider:acme', 'POST', '/registrations', { releases, accept: { oneOffYen, monthlyYen } });
  expect(registered.status).toBe(201);
  return { oneOffYen, monthlyYen, firstChargedMonth };
}
async function invoiced(month: string): Promise<number> {
  const closed = await rig.ask('operator', 'POST', `/billing/months/${month}/close`);
  expect(closed.status).toBe(200);
  const [row] = await rig.db.query<{ total: number }>("SELECT total_yen AS total FROM invoices WHERE month = $1 AND provider_id = 'acme'", [
    month,
  ]);
  return row?.total ?? 0;
}

test('W13 and W14 by registration: once in the month of the work, monthly from the next, a larger release from the one after', async () => {
  setTime('2027-04-30T23:59:00+09:00');
  const two = await publish(rig.aPackage({ software: 'one.acme' }), rig.aPackage({ software: 'two.acme' }));
  expect(two).toEqual({ oneOffYen: 57_860, monthlyYen: 22_000, firstChargedMonth: '2027-05' });
  setTime('2027-05-10T12:00:00+09:00');
  const larger = await publish(
    rig.aPackage({ software: 'one.acme', version: '1.1.0' }, [aFile('main.js'), aFile('bulk', randomBytes(5_100_000))]),
  );
  expect(larger).toEqual({ oneOffYen: 26_400, monthlyYen: 22_000, firstChargedMonth: '2027-06' });
  setTime('2027-07-01T00:00:00+09:00');
  expect(await invoiced('2027-04')).toBe(two.oneOffYen);
  expect(await invoiced('2027-05')).toBe(two.monthlyYen + larger.oneOffYen);
  expect(await invoiced('2027-06')).toBe(larger.monthlyYen + 11_000); // the other software as before
});

test('what was only uploaded, refused, or cancelled is on no invoice', async () => {
  setTime('2027-08-01T12:00:00+09:00');
  const release = String((await rig.upload(rig.aPackage({ software: 'three.acme' }))).body.release);
  await rig.ask('provider:acme', 'POST', '/registrations', { releases: [release], accept: { oneOffYen: 1, monthlyYen: 1 } });
  const { body } = await rig.ask('operator', 'POST', '/work-orders', { provider: 'acme' });
  await rig.ask('operator', 'POST', `/work-orders/${body.order}/items`, { release });
  await rig.ask('operator', 'POST', `/work-orders/${body.order}/cancel`, { reason: 'x' });
  setTime('2027-09-01T00:00:00+09:00');
  expect(await invoiced('2027-08')).toBe(33_000);
});

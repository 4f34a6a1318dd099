/** A lower plan: what runs already stays for 30 days, is told so in the notice, and is never taken away before its time. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Version } from '../../../protocol/fields.ts';
import { aFile } from '../../support/packages.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';
import { aQuietGateway, type QuietGateway } from '../../support/quiet-gateway.ts';

const dayMs = 86_400_000;
let rig: PeopleSideRig;
let gateway: QuietGateway;
let software: string;
let target: string;
let names = 0;

beforeAll(async () => {
  rig = await aPeopleSide();
  await rig.aProvider('acme');
});
afterAll(() => rig.stop());
/** 1.0.0 of plan 2 runs; 2.0.0 is of plan 1, 3.0.0 of plan 2 again. */
beforeEach(async () => {
  names += 1;
  rig.clock.offsetMs = 0;
  software = `shrinks-${names}.acme`;
  const sized = (bytes: number) => [aFile('main.js', ''), aFile('zero.bin', Buffer.alloc(bytes))];
  await rig.admit(rig.aPackage({ software }, sized(2_000_000)));
  const { customerId, site } = await rig.aCustomer();
  gateway = await aQuietGateway(rig, `gw-grace-${names}`, site);
  target = String((await rig.order(customerId, { software })).body.target);
  await rig.admit(rig.aPackage({ software, version: '2.0.0' }, sized(1_000_000)));
  await rig.admit(rig.aPackage({ software, version: '3.0.0' }, sized(2_500_000)));
  await gateway.publish();
  await says('committed', '1.0.0');
  await gateway.publish();
});

const says = (state: 'committed' | 'rolled-back', version: string) =>
  gateway.reports({ kind: state === 'committed' ? 'end' : 'failure', target, state, version: version as Version });
const deploy = async (version: string, more: object = {}) =>
  rig.ask('provider:acme', 'POST', '/releases/deploy', { software, version, ...more });
const shown = async () => (await rig.ask('operator', 'GET', `/targets/${target}`)).body;
const graceDays = async () => {
  const { graceUntil } = await shown();
  return graceUntil === null ? null : Math.round((Date.parse(String(graceUntil)) - rig.clock.nowMs()) / dayMs);
};

test('the version that runs has 30 days from the change, and the gateway is told until when', async () => {
  expect(await shown()).toMatchObject({ plan: 2, graceUntil: null });
  await deploy('2.0.0');
  expect([(await shown()).plan, await graceDays()]).toEqual([1, 30]);
  await gateway.publish();
  const [listed] = (await gateway.notice())?.targets ?? [];
  expect(listed).toMatchObject({ version: '2.0.0', plan: 1, limits: { installedBytes: 1_500_000 } });
  expect(Date.parse(String(listed?.graceUntil))).toBeCloseTo(Date.parse(String((await shown()).graceUntil)), -4);
});

test('once the smaller version runs, nothing is limited any more', async () => {
  await deploy('2.0.0');
  await says('committed', '2.0.0');
  expect(await shown()).toMatchObject({ state: 'ACTIVE', committedVersion: '2.0.0', graceUntil: null });
});

test('an update that fails leaves the larger version, with the time that it had: another wish does not begin it anew', async () => {
  await deploy('2.0.0');
  rig.clock.offsetMs = 10 * dayMs;
  await says('rolled-back', '2.0.0');
  expect(await graceDays()).toBe(20);
  await rig.ask('provider:acme', 'POST', `/targets/${target}/retry`);
  expect(await graceDays()).toBe(20);
});

test('a plan that covers it again takes the limit back', async () => {
  await deploy('2.0.0');
  await deploy('3.0.0');
  expect(await shown()).toMatchObject({ plan: 2, graceUntil: null });
});

test('the end of the grace is the gateway’s to carry out: the server deletes and ends nothing', async () => {
  await deploy('2.0.0');
  await says('rolled-back', '2.0.0');
  rig.clock.offsetMs = 31 * dayMs;
  await rig.dayTick.start();
  await rig.dayTick.stop();
  await gateway.publish();
  expect(await shown()).toMatchObject({ state: 'ROLLED_BACK', committedVersion: '1.0.0', endedAt: null, purgedAt: null });
  expect((await gateway.notice())?.removed).toEqual([]);
});

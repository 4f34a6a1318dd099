/**
 * What outlasts a theft: roots that several offline keys must sign, and time that only a signature proves. The gateway's agent is started anew
 * with whatever clock the attacker gives it; the thief's server offers roots, and an honest operator's next root takes the stolen key away.
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Notice, Target } from '../../protocol/statements/notice.ts';
import type { Root } from '../../protocol/statements/root.ts';
import { wanAddress } from '../../provider/emulator/index.ts';
import { get } from '../../scripts/story/look.ts';
import { seen } from '../../scripts/story/story.ts';
import { installedOn, statusOf, trustOn } from '../support/at-the-gateway.ts';
import {
  aGoodPackage,
  aWish,
  certificateOfDemo,
  entryAfter,
  expectNoticeRefused,
  newestSeq,
  report,
  signerUnderStolenCa,
  stateSeen,
} from '../support/attack.ts';
import { ago, aHomeUnderAttack, appliedNotice, day, type HomeUnderAttack } from '../support/home-under-attack.ts';
import type { HostileHttps } from '../support/hostile-https.ts';
import { aKey, aRemoval } from '../support/mint.ts';
import { firstRoot, nextRoot, offlineKeys, withNoticeKey } from '../support/offline-root.ts';
import { aPretendedClock, type PretendedClock } from '../support/pretended-clock.ts';

let home: HomeUnderAttack;
let root: Root;
let clock: PretendedClock;
let version: number;
beforeAll(async () => {
  home = await aHomeUnderAttack();
  root = firstRoot(home.world.serverData);
  clock = aPretendedClock(path.join(home.world.folder, 'clock'), Date.now());
  version = home.applied.version;
  await demo(/^running/);
}, 90_000);
afterAll(() => home.stop(), 30_000);

/** Then it asks for newer roots, and takes its clock from where it is told. */
async function restart(environment: Record<string, string> = {}): Promise<number> {
  const seq = await newestSeq(home);
  await home.gateway.stop();
  home.gateway.start(environment);
  await entryAfter(home, seq, ({ event }) => event === 'link.online', 40_000);
  return seq;
}

const signers = () => offlineKeys(home.world.serverData).slice(0, 2);
async function accepted(changes: Partial<Root>): Promise<void> {
  const next = nextRoot(root, changes, signers());
  home.thief.serveRoot(next.root.version, next.envelope);
  const seq = await restart();
  await entryAfter(home, seq, ({ event }) => event === 'root.accepted');
  root = next.root;
}

/** By the key of the root in force, stolen or not. */
let noticeKey: Parameters<HomeUnderAttack['signed']>[1];
async function publish(changes: Partial<Notice> = {}): Promise<void> {
  const seq = await newestSeq(home);
  version += 1;
  await home.thief.publishNotice(home.id, home.signed({ version, rootVersion: root.version, ...changes }, noticeKey));
  await entryAfter(home, seq, ({ event }) => event === 'notice.applied');
}
const delivered = () => home.applied.targets[0] as Target;
const demo = (state: RegExp) => stateSeen(home, 'demo.ipv4', state);

describe('key compromise: root below threshold', () => {
  const thiefsKey = aKey();
  const [one, two] = [() => signers()[0] ?? expect.fail(), () => signers()[1] ?? expect.fail()];
  const cases = [
    ['one stolen key of three', 'SIGNATURE_INVALID', () => nextRoot(root, withNoticeKey(root, thiefsKey), [one()])],
    ['one stolen key that signs twice', 'SIGNATURE_INVALID', () => nextRoot(root, withNoticeKey(root, thiefsKey), [one(), one()])],
    ['one stolen key and one of the thief', 'SIGNATURE_INVALID', () => nextRoot(root, withNoticeKey(root, thiefsKey), [one(), thiefsKey])],
    ['a version left out', 'ROOT_CHAIN_BROKEN', () => nextRoot(root, { version: root.version + 2 }, [one(), two()])],
  ] as const;
  test.each(cases)('%s', async (_, code, make) => {
    const before = [installedOn(home.gateway), trustOn(home.gateway)];
    home.thief.serveRoot(root.version + 1, make().envelope);
    const told = home.thief.reports(home.id).length;
    const seq = await restart();
    expect(await entryAfter(home, seq, ({ event }) => event === 'root.refused')).toMatchObject({ code });
    const isTold = () =>
      home.thief
        .reports(home.id)
        .slice(told)
        .find((one) => one.kind === 'failure' && one.code === code);
    await seen('the report of the refused root', 20_000, isTold);
    expect([installedOn(home.gateway), trustOn(home.gateway)]).toEqual(before);
    await demo(/^running/);
  });
});

describe('clock', () => {
  afterEach(async () => {
    clock.set(Date.now());
    await restart(clock.environment);
    await demo(/^running/);
  });

  test('clock set to 1970', async () => {
    const before = installedOn(home.gateway);
    clock.set(0);
    const seq = await restart(clock.environment); // over TLS: certificates of servers are valid from 1970 on
    await entryAfter(home, seq, ({ event }) => event === 'clock.behind');
    await demo(/^running/);
    version += 1;
    await expectNoticeRefused(home, home.signed({ version, issuedAt: ago(22 * day), expires: ago(day) }), 'NOTICE_EXPIRED');
    expect(installedOn(home.gateway)).toEqual(before);
  });

  test('clock set to 2099', async () => {
    const before = installedOn(home.gateway);
    clock.set(Date.UTC(2099, 0, 1));
    const seq = await newestSeq(home);
    await home.gateway.stop();
    home.gateway.start(clock.environment);
    await entryAfter(home, seq, ({ event }) => event === 'clock.far_ahead');
    await demo(/^stopped/); // its lease seems to be over: it stops, and nothing is deleted
    expect(installedOn(home.gateway)).toEqual(before);
  });

  test('clock stepping back, under a running agent', async () => {
    const before = installedOn(home.gateway);
    clock.set(Date.now());
    await restart(clock.environment);
    clock.set(Date.now() - 40 * day);
    version += 1;
    await expectNoticeRefused(home, home.signed({ version, issuedAt: ago(22 * day), expires: ago(day) }), 'NOTICE_EXPIRED');
    expect(installedOn(home.gateway)).toEqual(before);
  });

  test('indefinite freeze: with no newer notice for 22 days nothing is installed, after 38 nothing runs', async () => {
    const atFirst = installedOn(home.gateway);
    const tsg = aGoodPackage(home, 'frozen.demo');
    const wish = aWish('frozen', home.thief.serve(tsg), tsg);
    await publish({ targets: [...home.applied.targets, wish], policy: { ...home.applied.policy, jitterS: 86_400 } });
    const before = installedOn(home.gateway);
    clock.set(Date.now() + 22 * day);
    await restart(clock.environment);
    await demo(/^running/);
    await seen('on the page, that it waits, and why', 20_000, async () => {
      const page = JSON.parse((await get(`${home.gateway.pageUrl}/status.json`)).body.toString());
      const found = page.software.find(({ software }: { software: string }) => software === 'frozen.demo');
      if (found?.state === 'waiting' && found.reason?.number === 'E205') return true;
      throw new Error(JSON.stringify(found));
    });
    clock.set(Date.now() + 38 * day);
    await restart(clock.environment);
    await demo(/^stopped/);
    expect(installedOn(home.gateway)).toEqual(before);
    await restart();
    await publish({ removed: [aRemoval(wish)] });
    await seen('what was there at the beginning', 20_000, () => (isDeepStrictEqual(installedOn(home.gateway), atFirst) ? true : undefined));
  });
});

test('malicious mirrors', async () => {
  const mirror: HostileHttps = await home.thief.openMirror(home.mirrorPort);
  try {
    await accepted({ packageBases: [`https://${wanAddress}:${home.mirrorPort}`] });
    const atFirst = installedOn(home.gateway);
    const wishes = ['garbage', 'redirected'].map((name) => {
      const tsg = aGoodPackage(home, `${name}.demo`);
      return aWish(name, home.thief.serve(tsg), tsg);
    }) as [Target, Target];
    mirror.serve(Buffer.alloc(wishes[0].package.bytes, 9), wishes[0].package.sha256);
    mirror.answer(wishes[1].package, (_, response) => response.writeHead(302, { location: `https://${wanAddress}/elsewhere` }).end());
    await publish({ targets: [...home.applied.targets, ...wishes] });
    for (const { software } of wishes) await stateSeen(home, software, /^running/);
    // Each was asked of the mirror first, which was never shown who asks.
    const places = wishes.map(({ package: { sha256 } }) => `/packages/${sha256}`);
    expect(mirror.asked).toEqual(places.map((place) => ({ path: place, shownBy: undefined })));
    expect(home.thief.asked.filter(({ path: place }) => places.includes(place))).toEqual(
      places.map((place) => ({ path: place, shownBy: home.id })),
    );

    await publish({ removed: wishes.map((wish) => aRemoval(wish)) });
    await seen('only what was there', 20_000, () => (isDeepStrictEqual(installedOn(home.gateway), atFirst) ? true : undefined));

    // With every source bad, nothing is installed.
    const tsg = aGoodPackage(home, 'allbad.demo');
    const bad = aWish('allbad', mirror.serve(tsg), tsg);
    for (const host of [mirror, home.thief]) host.serve(Buffer.alloc(tsg.length, 9), bad.package.sha256);
    const before = installedOn(home.gateway);
    await publish({ targets: [...home.applied.targets, bad] });
    const told = await report(home, 'the failure', ({ software, kind }) => software === 'allbad.demo' && kind === 'failure');
    expect(told).toMatchObject({ number: 'E203', code: 'PKG_DIGEST_MISMATCH' });
    expect(installedOn(home.gateway)).toEqual(before);
  } finally {
    await mirror.stop();
  }
  await accepted({ packageBases: [] });
});

describe('a stolen notice key that signs', () => {
  test('version 2^53−1 (fast-forward): refused is what the operator signs after it, until a root takes the key away', async () => {
    const honest = version + 1;
    const seq = await newestSeq(home);
    await home.thief.publishNotice(home.id, home.signed({ version: Number.MAX_SAFE_INTEGER, rootVersion: root.version }, noticeKey));
    await entryAfter(home, seq, ({ event }) => event === 'notice.applied');
    await expectNoticeRefused(home, home.signed({ version: honest, rootVersion: root.version }, noticeKey), 'NOTICE_DOWNGRADE');
    const before = installedOn(home.gateway);
    const [stolen, fresh] = [noticeKey, aKey()];
    await accepted(withNoticeKey(root, fresh));
    await expectNoticeRefused(
      home,
      home.signed({ version: Number.MAX_SAFE_INTEGER, rootVersion: root.version }, stolen),
      'SIGNING_KEY_UNKNOWN',
    );
    noticeKey = fresh;
    version = honest;
    await publish();
    expect(appliedNotice(home.gateway).version).toBe(honest + 1);
    expect(installedOn(home.gateway)).toEqual(before);
    await demo(/^running/);
  });

  test('2099: leases seem to be over, nothing is deleted, and the root that takes the key away gives the time back', async () => {
    const before = installedOn(home.gateway);
    await publish({ issuedAt: '2099-01-01T00:00:00Z' as never, expires: '2099-02-01T00:00:00Z' as never });
    await demo(/^stopped/);
    expect(installedOn(home.gateway)).toEqual(before);
    const fresh = aKey();
    await accepted(withNoticeKey(root, fresh));
    noticeKey = fresh;
    await publish();
    await demo(/^running/);
    expect(installedOn(home.gateway)).toEqual(before);
  });
});

test('fast-forward', async () => {
  // 99.0.0 by a stolen provider key; then the operator revokes that certificate, and the provider gets a new one for a new key.
  const fake = aGoodPackage(home, 'demo.ipv4', { version: '99.0.0' });
  const target = (tsg: Buffer, to: string) =>
    ({ ...aWish('demo', home.thief.serve(tsg), tsg), target: delivered().target, software: delivered().software, version: to }) as Target;
  await publish({ targets: [target(fake, '99.0.0')] });
  const runs = (wanted: string) =>
    seen(`${wanted} runs`, 30_000, async () => {
      const found = (await statusOf(home.gateway)).software.find(({ software }) => software === 'demo.ipv4');
      if (found?.version === wanted) return true;
      throw new Error(JSON.stringify(found));
    });
  await runs('99.0.0');
  const { issuer, serial } = certificateOfDemo(home);
  await accepted({ revokedSigners: [{ issuer, serial, since: ago(day), reason: 'stolen', stop: true }] });
  await demo(/^stopped/);
  const honest = aGoodPackage(home, 'demo.ipv4', { version: '1.2.27' }, signerUnderStolenCa(home, 'demo'));
  await publish({ targets: [target(honest, '1.2.27')] });
  await runs('1.2.27');
  await demo(/^running/);
});

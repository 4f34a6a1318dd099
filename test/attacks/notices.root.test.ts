/**
 * Somebody holds the server, its certificate and its notice key, and tells a running agent what he likes, over real TLS and MQTT: which notices
 * are refused, and what the worst of the accepted ones can do.
 */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gatewayId } from '../../protocol/fields.ts';
import { installedOn, logOf, trustOn } from '../support/at-the-gateway.ts';
import { entryAfter, expectNoticeRefused, newestSeq, noticesOf, report, stateOf, stateSeen } from '../support/attack.ts';
import { ago, aHomeUnderAttack, day, type HomeUnderAttack } from '../support/home-under-attack.ts';
import { aRemoval } from '../support/mint.ts';

let home: HomeUnderAttack;
let notices: ReturnType<typeof noticesOf>;
beforeAll(async () => {
  home = await aHomeUnderAttack();
  notices = noticesOf(home);
  await stateSeen(home, 'demo.ipv4', /^running/);
}, 90_000);
afterAll(() => home.stop(), 30_000);

const newer = () => ({ version: notices.version() + 1 });
const delivered = () => home.applied.targets[0] ?? expect.fail('nothing was delivered');

test('replay of another gateway’s notice', () =>
  expectNoticeRefused(home, home.signed({ ...newer(), gateway: gatewayId.parse('gw-neighbour') }), 'NOTICE_WRONG_GATEWAY'));

describe('rollback', () => {
  test('to an older notice', () =>
    expectNoticeRefused(home, home.signed({ version: home.applied.version - 1, targets: [] }), 'NOTICE_DOWNGRADE'));
  test('to other bytes under the same version', () =>
    expectNoticeRefused(home, home.signed({ version: home.applied.version, targets: [] }), 'NOTICE_VERSION_REUSED'));
});

test('indefinite freeze: a notice that was kept back for three weeks', () =>
  expectNoticeRefused(home, home.signed({ ...newer(), issuedAt: ago(22 * day), expires: ago(day) }), 'NOTICE_EXPIRED'));

describe('key compromise', () => {
  test('the server without its notice key', () =>
    expectNoticeRefused(home, home.signed(newer(), generateKeyPairSync('ed25519').privateKey), 'SIGNING_KEY_UNKNOWN'));
});

describe('downgrade of limits or grants', () => {
  test('by an older notice with wider ones', () => {
    const target = { ...delivered(), grants: { lan: ['udp:3610'], wan: [], telemetry: true } };
    return expectNoticeRefused(home, home.signed({ version: home.applied.version - 1, targets: [target] as never }), 'NOTICE_DOWNGRADE');
  });

  test('by a signed notice: grants that the provider’s manifest did not ask for change nothing', async () => {
    const [before, seq] = [installedOn(home.gateway), await newestSeq(home)];
    const grants = { lan: ['udp:3610', 'tcp:80'], wan: ['evil.example.jp:443'], telemetry: true };
    const limits = { ...delivered().limits, memoryBytes: 2 ** 40, pids: 256, cpuPercent: 100, files: 1_000_000 };
    await notices.publish({ targets: [{ ...delivered(), grants, limits }] as never });
    await entryAfter(home, seq, ({ event }) => event === 'notice.applied');
    expect(installedOn(home.gateway)).toEqual(before);
    const after = (await logOf(home.gateway)).filter((entry) => entry.seq > seq && entry.software === 'demo.ipv4');
    expect(after.map(({ event }) => event)).toEqual([]); // no restart: what it may is what it was
  });
});

describe('a notice that is empty or too small', () => {
  test('of no bytes at all says nothing', async () => {
    const before = [installedOn(home.gateway), trustOn(home.gateway)];
    await home.thief.publishNotice(home.id, Buffer.alloc(0));
    await expectNoticeRefused(home, Buffer.from('{}'), 'ENVELOPE_MALFORMED'); // heard after it
    expect(installedOn(home.gateway)).toEqual(before[0]);
    expect(await stateOf(home, 'demo.ipv4')).toMatch(/^running/);
  });
  test('cut in the middle is refused', () => expectNoticeRefused(home, home.signed(newer()).subarray(0, 500), 'ENVELOPE_MALFORMED'));
  test('that lists nothing stops what runs, and deletes nothing', async () => {
    const before = installedOn(home.gateway);
    await notices.publish({ targets: [] });
    const told = await report(home, 'the orphan', ({ kind }) => kind === 'orphan');
    expect(told).toMatchObject({ software: 'demo.ipv4', target: delivered().target });
    await stateSeen(home, 'demo.ipv4', /^stopped/);
    expect(installedOn(home.gateway)).toEqual(before);
    await notices.publish({});
    await stateSeen(home, 'demo.ipv4', /^running/);
    expect(installedOn(home.gateway)).toEqual(before);
  });
});

test('endless data: a message without end is not taken in', async () => {
  const seq = await newestSeq(home);
  const before = [installedOn(home.gateway), trustOn(home.gateway)];
  await home.thief.publishNotice(home.id, Buffer.alloc(8_000_000, '{'));
  expect(await entryAfter(home, seq, ({ event }) => event === 'link.offline')).toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
  expect([installedOn(home.gateway), trustOn(home.gateway)]).toEqual(before);
  expect(await stateOf(home, 'demo.ipv4')).toMatch(/^running/);
  await notices.publish({}); // what is retained now is small again
  await entryAfter(home, seq, ({ event }) => event === 'notice.applied', 60_000);
});

describe('key compromise, to the end', () => {
  // Said plainly: whoever holds the notice key can end and delete software in every home that he reaches. He cannot put any there.
  test('a stolen notice key can stop and remove', async () => {
    await notices.publish({ targets: [], removed: [aRemoval(delivered())] });
    const told = await report(home, 'the purge', ({ kind }) => kind === 'purge');
    expect(told).toMatchObject({ software: 'demo.ipv4', target: delivered().target });
  });
});

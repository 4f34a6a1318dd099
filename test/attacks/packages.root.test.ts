/**
 * Somebody holds the server and its notice key, and offers packages to a running agent: what no provider signed, what one signed for something
 * else, what never ends. Kinds of malformed packages stand in hostile-packages.root.test.ts.
 */
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import { seen } from '../../scripts/story/story.ts';
import { installedOn } from '../support/at-the-gateway.ts';
import {
  aGoodPackage,
  aStranger,
  aWish,
  entryAfter,
  expectWishesRefused,
  newestSeq,
  noticesOf,
  signerUnderStolenCa,
  stateSeen,
} from '../support/attack.ts';
import { badPackages } from '../support/bad-packages.ts';
import { aHomeUnderAttack, type HomeUnderAttack } from '../support/home-under-attack.ts';
import { aPackage } from '../support/packages.ts';

let home: HomeUnderAttack;
let notices: ReturnType<typeof noticesOf>;
beforeAll(async () => {
  home = await aHomeUnderAttack();
  notices = noticesOf(home);
  await stateSeen(home, 'demo.ipv4', /^running/);
}, 90_000);
afterAll(() => home.stop(), 30_000);

/** Offered in one notice; each must be refused with its code. */
async function expectRefused(...wishes: (readonly [Target, ErrorCode])[]): Promise<void> {
  await expectWishesRefused(home, () => notices.wish(...wishes.map(([wish]) => wish)), wishes);
}
const bad = (name: string) => badPackages.find((one) => one.name === name) ?? expect.fail(name);
const offered = (name: string, tsg: Buffer, changes: Partial<Target> = {}) => aWish(name, home.thief.serve(tsg), tsg, changes);

test('arbitrary installation', async () => {
  const unsigned = bad('unsigned').file(home.world, 'unsigned.demo');
  const strangers = aPackage(aStranger(), { manifest: { software: 'stranger.demo', provider: 'demo' } });
  const altered = bad('one bit flipped in the manifest').file(home.world, 'altered.demo');
  await expectRefused(
    [offered('unsigned', unsigned), 'PKG_UNSIGNED'],
    [offered('stranger', strangers), 'SIGNING_KEY_UNKNOWN'],
    [offered('altered', altered), 'SIGNATURE_INVALID'],
  );
});

test('wrong software installation', async () => {
  const other = aGoodPackage(home, 'other.demo');
  const newerOne = aGoodPackage(home, 'versioned.demo', { version: '1.0.1' });
  const forAnotherModel = aGoodPackage(home, 'model.demo', { models: ['PR-500KI'] });
  await expectRefused(
    [offered('wrong', other), 'PKG_NOTICE_MISMATCH'],
    [offered('versioned', newerOne), 'PKG_NOTICE_MISMATCH'],
    [offered('model', forAnotherModel), 'PKG_WRONG_MODEL'],
  );
});

test('mix-and-match', async () => {
  const [one, next] = [aGoodPackage(home, 'mixed.demo'), aGoodPackage(home, 'mixed.demo', { data: { format: 2 } })];
  await expectRefused(
    // The package of one release with the manifest of another, and bytes of one under the digest of the other.
    [{ ...offered('mixed', one), manifestSha256: aWish('mixed', home.thief.serve(next), next).manifestSha256 }, 'PKG_NOTICE_MISMATCH'],
    [
      offered('payload', bad('one bit flipped in what is installed').file(home.world, 'payload.demo'), { installedBytes: 11 }),
      'PKG_PAYLOAD_MISMATCH',
    ],
  );
  const digest = home.thief.serve(aGoodPackage(home, 'swapped.demo'));
  const swapped = aWish('swapped', digest, aGoodPackage(home, 'swapped.demo'));
  home.thief.serve(Buffer.alloc(digest.bytes, 7), digest.sha256);
  await expectRefused([swapped, 'PKG_DIGEST_MISMATCH']);
});

test('rollback: an older version of what runs, rightly signed by its provider', async () => {
  const delivered = home.applied.targets[0] as Target;
  const older = aGoodPackage(home, 'demo.ipv4', { version: '0.9.0' });
  const before = installedOn(home.gateway);
  const wish = {
    ...aWish('older', home.thief.serve(older), older),
    target: delivered.target,
    software: delivered.software,
    version: '0.9.0',
  };
  await notices.publish({ targets: [wish as Target] });
  const told = await seen('the refusal', 20_000, () =>
    home.thief.reports(home.id).find((one) => one.target === delivered.target && one.kind === 'failure'),
  );
  expect(told).toMatchObject({ number: 'E204', code: 'PKG_DOWNGRADE', detail: { found: '0.9.0' } });
  expect(home.thief.asked.map(({ path }) => path)).not.toContain(`/packages/${wish.package.sha256}`);
  expect(installedOn(home.gateway)).toEqual(before);
  await stateSeen(home, 'demo.ipv4', /^running/);
});

test('extraneous dependencies', async () => {
  // A package cannot name another one to be installed with it: there is no word for it, and what is not understood is refused.
  const dependency = aGoodPackage(home, 'dependency.demo');
  const served = home.thief.serve(dependency);
  const requires = { agent: '^1.0.0', software: ['dependency.demo'] };
  await expectRefused(
    [offered('needing', aGoodPackage(home, 'needing.demo', { requires })), 'STATEMENT_MALFORMED'],
    [offered('script', aGoodPackage(home, 'script.demo', { scripts: { postinstall: 'fetch dependency.demo' } })), 'STATEMENT_MALFORMED'],
  );
  expect(home.thief.asked.map(({ path }) => path)).not.toContain(`/packages/${served.sha256}`);
});

test('endless data', async () => {
  const tsg = aGoodPackage(home, 'endless.demo');
  const wish = offered('endless', tsg);
  const sent: number[] = [];
  home.thief.answer(wish.package, (_, response) => {
    response.writeHead(200);
    sent.push(0);
    flood(response, (bytes) => sent.splice(-1, 1, bytes));
  });
  await expectRefused([wish, 'PKG_DIGEST_MISMATCH']);
  // One more than was signed is enough to hang up; what was on its way by then is in buffers of the line.
  expect(sent).toHaveLength(2);
  expect(Math.max(...sent)).toBeLessThan(20_000_000);
});

/** Writes for as long as the other side takes it. */
function flood(response: ServerResponse, note: (bytes: number) => void): void {
  const piece = Buffer.alloc(65_536, 1);
  let bytes = 0;
  const more = () => {
    while (!response.destroyed && response.write(piece)) {
      bytes += piece.length;
      note(bytes);
    }
  };
  response.on('drain', more);
  more();
}

describe('partial bundle installation', () => {
  test('a package of which only the first half arrives leaves nothing', async () => {
    const half = bad('truncated').file(home.world, 'half.demo');
    await expectRefused([offered('half', half), 'PKG_TRUNCATED']);
  });

  test('of two that are wished for together, the good one is installed whole and the other not at all', async () => {
    const [whole, other] = [aGoodPackage(home, 'whole.demo'), bad('truncated').file(home.world, 'broken.demo')];
    const before = installedOn(home.gateway);
    const wishes = [offered('broken', other), offered('whole', whole)];
    await notices.wish(...wishes);
    await stateSeen(home, 'whole.demo', /^running/);
    const failure = home.thief.reports(home.id).find((one) => one.software === 'broken.demo' && one.kind === 'failure');
    expect(failure).toMatchObject({ code: 'PKG_TRUNCATED' });
    const added = Object.keys(installedOn(home.gateway)).filter((name) => !(name in before));
    expect(added.filter((name) => name.startsWith('staging/') || name.startsWith('download/'))).toEqual([]);
    expect(new Set(added.filter((name) => name.startsWith('store/')).map((name) => name.split('/')[1]))).toEqual(
      new Set([wishes[1]?.package.sha256]),
    );
    await notices.publish({
      removed: [{ ...(wishes[1] as Target), reason: 'cancelled' }].map(({ target, software, provider, reason }) => ({
        target,
        software,
        provider,
        reason,
      })) as never,
    });
    await seen('only what was there before', 20_000, () =>
      Object.keys(installedOn(home.gateway)).length === Object.keys(before).length ? true : undefined,
    );
    expect(installedOn(home.gateway)).toEqual(before);
  });
});

describe('squatting of a software id or prefix', () => {
  test('of an id: a certified provider signs in the name of another', async () => {
    const squatter = signerUnderStolenCa(home, 'squatter');
    const asDemo = aPackage(squatter, { manifest: { software: 'squat.demo', provider: 'demo' } });
    const own = aPackage(squatter, { manifest: { software: 'owned.demo', provider: 'squatter' } });
    await expectRefused(
      [offered('squat', asDemo, { installedBytes: 11 }), 'SIGNER_NOT_PROVIDER'],
      [offered('owned', own, { installedBytes: 11 }), 'PKG_NOTICE_MISMATCH'],
    );
  });

  test('of a page: a certified provider wants the prefix of software that is here', async () => {
    const tsg = aGoodPackage(home, 'page.demo', { web: { prefix: 'demo.ipv4' } });
    await expectRefused([offered('page', tsg), 'WEB_PREFIX_TAKEN']);
  });
});

describe('key compromise', () => {
  test('a stolen provider key: what it signed reaches nobody without a notice', async () => {
    const seq = await newestSeq(home);
    const tsg = aGoodPackage(home, 'stolen.demo');
    const wish = offered('stolen', tsg);
    const before = installedOn(home.gateway);
    await home.thief.publishNotice(
      home.id,
      home.signed({ version: notices.version() + 1, targets: [...home.applied.targets, wish] }, aStranger().noticeKey),
    );
    expect(await entryAfter(home, seq, ({ event }) => event === 'notice.refused')).toMatchObject({ code: 'SIGNING_KEY_UNKNOWN' });
    expect(home.thief.asked.map(({ path }) => path)).not.toContain(`/packages/${wish.package.sha256}`);
    expect(installedOn(home.gateway)).toEqual(before);
  });

  // Said plainly: this is the pair that suffices. What is installed stays in its sandbox, under the limits of plan and model.
  test('a stolen provider key and the server together install software of that provider, and of no other', async () => {
    const before = installedOn(home.gateway);
    const tsg = aGoodPackage(home, 'planted.demo');
    const foreign = aGoodPackage(home, 'foreign.demo', { provider: 'other' });
    const wish = offered('planted', tsg);
    await notices.wish(wish, offered('foreign', foreign, { provider: 'other' as Target['provider'] }));
    await stateSeen(home, 'planted.demo', /^running/);
    const refused = await seen('the refusal of the other', 20_000, () =>
      home.thief.reports(home.id).find((one) => one.software === 'foreign.demo' && one.kind === 'failure'),
    );
    expect(refused).toMatchObject({ code: 'SIGNER_NOT_PROVIDER' });
    const after = installedOn(home.gateway);
    expect(Object.entries(before).filter(([name, state]) => after[name] !== state)).toEqual([]);
  });
});

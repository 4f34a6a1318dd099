/**
 * Every kind of hostile package, offered to a running agent by somebody who holds the server and the notice key: refused with the code of its
 * remedy, reported once, and gone from the disk. Only the provider's signature stands in the way of arbitrary software.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hostileKinds } from '../../fixtures/hostile/index.ts';
import type { By } from '../../fixtures/hostile/kind.ts';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { catalogue } from '../../protocol/errors.ts';
import type { Digest } from '../../protocol/fields.ts';
import { readEnvelopeBytes, splitTsg } from '../../protocol/package/tsg.ts';
import type { Target } from '../../protocol/statements/notice.ts';
import { seen } from '../../scripts/story/story.ts';
import { installedOn, logOf, statusOf } from '../support/at-the-gateway.ts';
import { digestOfManifest, signingOf } from '../support/bad-packages.ts';
import { ago, aHomeUnderAttack, day, type HomeUnderAttack } from '../support/home-under-attack.ts';
import { anId, aTarget } from '../support/mint.ts';
import { inMemory } from '../support/packages.ts';

/** What the notice allows here; more is refused before anything is fetched. */
const planOneBytes = 1_500_000;
const perNotice = 48;
/** Garbage that V8 has not collected yet comes and goes by some megabytes; 100 kB kept of each package would be more than this. */
const growthKiB = 12_288;
let home: HomeUnderAttack;
let before: Record<string, string>;
let agentPid: number | undefined;
let startsBefore: number;
let privateKiBAfterFirst: number;

beforeAll(async () => {
  home = await aHomeUnderAttack();
  before = installedOn(home.gateway);
  startsBefore = await seen('demo.ipv4 runs again', 15_000, async () => ((await startsOfTheApp()) === 2 ? 2 : undefined));
  agentPid = home.gateway.agentPid;
}, 90_000);
afterAll(() => home.stop(), 30_000);

const startsOfTheApp = async () =>
  (await logOf(home.gateway)).filter(({ event, software }) => event === 'app.started' && software === 'demo.ipv4').length;
const softwareOf = (index: number) => `hostile-${index}.demo` as Target['software'];
const nameOf = (index: number) => `hostile${String(index).padStart(3, '0')}x`;
const offered = hostileKinds.map((kind, index) => ({ ...kind, index }));
const batches = Array.from({ length: Math.ceil(offered.length / perNotice) }, (_, batch) =>
  offered.slice(batch * perNotice, (batch + 1) * perNotice),
);

function wishFor({ make, index }: { make: (by: By) => Buffer; index: number }): Target {
  const software = softwareOf(index);
  const bytes = make({ signing: signingOf(home.world), provider: 'demo', software });
  const { sha256, bytes: length } = home.thief.serve(bytes);
  return {
    ...aTarget(nameOf(index)),
    software,
    provider: 'demo' as Target['provider'],
    package: { sha256: sha256 as Digest, bytes: length },
    manifestSha256: digestOfManifest(bytes),
    installedBytes: installedBytesOf(bytes),
    entitledUntil: ago(-30 * day),
    deadline: ago(-14 * day),
  };
}

/** What the manifest says, so that the notice agrees with it and only the trick is left to refuse. */
function installedBytesOf(tsg: Buffer): number {
  try {
    const { readAt } = inMemory(tsg);
    const envelope = parseEnvelope(readEnvelopeBytes(readAt, splitTsg(readAt, tsg.length)));
    const { installedBytes } = JSON.parse(payloadOf(envelope).toString()).payload;
    const isBelievable = Number.isSafeInteger(installedBytes) && installedBytes > 0 && installedBytes < planOneBytes;
    return isBelievable ? installedBytes : 1;
  } catch {
    return 1;
  }
}

const agentPrivateKiB = (): number => {
  const rollup = readFileSync(`/proc/${home.gateway.agentPid}/smaps_rollup`, 'utf8');
  return [...rollup.matchAll(/^Private_\w+:\s+(\d+) kB$/gm)].reduce((sum, [, kib]) => sum + Number(kib), 0);
};

test.each(batches.map((kinds, batch) => ({ kinds, batch, of: batches.length })))(
  'hostile packages, part $batch of $of: each is refused with its code, once, and nothing of it stays',
  async ({ kinds, batch }) => {
    const { thief, applied, signed, id, gateway } = home;
    const wishes = kinds.map(wishFor);
    await thief.publishNotice(id, signed({ version: applied.version + 1 + batch, targets: [...applied.targets, ...wishes] }));
    const failureOf = (index: number) =>
      thief.reports(id).filter(({ target, kind }) => kind === 'failure' && target === anId(nameOf(index)));
    await seen('a report of each', 80_000, () => {
      const silent = kinds.filter(({ index }) => failureOf(index).length === 0);
      if (silent.length === 0) return true;
      throw new Error(silent.map(({ name }) => name).join(' · '));
    });
    const found = kinds.map(({ name, index }) => [name, failureOf(index).map(({ number, code }) => `${number} ${code}`)]);
    expect(Object.fromEntries(found)).toEqual(
      Object.fromEntries(kinds.map(({ name, code }) => [name, [`${catalogue[code].number} ${code}`]])),
    );
    expect(installedOn(gateway)).toEqual(before);
    const entries = (await logOf(gateway)).filter(({ event }) => event !== 'state.changed');
    for (const { index, code } of kinds)
      expect(entries.filter(({ software, number }) => software === softwareOf(index) && number !== undefined)).toMatchObject([{ code }]);
    if (batch === 0) privateKiBAfterFirst = agentPrivateKiB();
  },
  90_000,
);

test('the agent is the process that it was, keeps nothing of them in memory, and its app ran on', async () => {
  const { gateway } = home;
  expect(gateway.agentPid).toBe(agentPid);
  expect(agentPrivateKiB() - privateKiBAfterFirst).toBeLessThan(growthKiB);
  const { software } = await statusOf(gateway);
  expect(software.find((one) => one.software === 'demo.ipv4')).toMatchObject({ state: expect.stringMatching(/^running/) });
  expect(await startsOfTheApp()).toBe(startsBefore);
});

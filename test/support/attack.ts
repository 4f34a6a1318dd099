/** What every attack of a test does: offers something to the running agent, and holds what came of it against what must have come of it. */
import { type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { keyidOf } from '../../protocol/dsse.ts';
import { catalogue, type ErrorCode } from '../../protocol/errors.ts';
import type { KeyId } from '../../protocol/fields.ts';
import type { Report } from '../../protocol/messages/report.ts';
import type { Notice, Target } from '../../protocol/statements/notice.ts';
import { seen } from '../../scripts/story/story.ts';
import { installedOn, type LogEntry, logOf, statusOf, trustOn } from './at-the-gateway.ts';
import { digestOfManifest, signingOf } from './bad-packages.ts';
import { ago, day, type Home, type HomeUnderAttack } from './home-under-attack.ts';
import type { Served } from './hostile-https.ts';
import { aKey, aTarget } from './mint.ts';
import { type Issued, keyFile } from './openssl.ts';
import { aFile, aPackage, type SigningParts } from './packages.ts';
import { aRootCa, aSigner, leafExtensions } from './provider-pki.ts';

/** An app that says that it is well, and stays. */
const wellBehaved = `require('node:http').request({ socketPath: process.env.TSUGITE_GATEWAY_SOCKET, method: 'POST', path: '/ready' }).end();
setInterval(() => {}, 60_000);
`;

/** Rightly signed by the certified provider, and it would run. */
export function aGoodPackage(
  { world }: Home,
  software: string,
  manifest: Record<string, unknown> = {},
  signing: SigningParts = signingOf(world),
): Buffer {
  return aPackage(signing, { files: [aFile('main.js', wellBehaved)], manifest: { provider: 'demo', software, ...manifest } });
}

/** A wish that agrees with the package in every number, but for what the test changes. */
export function aWish(name: string, served: Served, tsg: Buffer, changes: Partial<Target> = {}): Target {
  return {
    ...aTarget(name, { installedBytes: wellBehaved.length }),
    software: `${name}.demo` as Target['software'],
    provider: 'demo' as Target['provider'],
    package: served,
    manifestSha256: digestOfManifest(tsg),
    entitledUntil: ago(-30 * day),
    deadline: ago(-14 * day),
    ...changes,
  };
}

/** Notices of the thief, each newer than the one before. */
export function noticesOf({ thief, id, applied, signed }: HomeUnderAttack) {
  let { version } = applied;
  return {
    /** The version of the newest. */
    version: () => version,
    async publish(changes: Partial<Notice>, ...key: Parameters<HomeUnderAttack['signed']> extends [unknown, ...infer Rest] ? Rest : never) {
      version += 1;
      await thief.publishNotice(id, signed({ version, ...changes }, ...key));
    },
    /** Wished for beside what is delivered already. */
    wish: async (...wishes: Target[]) => {
      version += 1;
      await thief.publishNotice(id, signed({ version, targets: [...applied.targets, ...wishes] }));
    },
  };
}

export function report(home: HomeUnderAttack, what: string, isIt: (report: Report) => boolean, withinMs = 25_000): Promise<Report> {
  return seen(what, withinMs, () => home.thief.reports(home.id).find(isIt));
}

/** The notice is refused with this code; the disk, and what is trusted, stay as they were; log and report say so. */
export async function expectNoticeRefused(home: HomeUnderAttack, envelope: Buffer, code: ErrorCode): Promise<void> {
  const { gateway, thief, id } = home;
  const { number } = catalogue[code];
  const before = { disk: [installedOn(gateway), trustOn(gateway)], seq: await newestSeq(home), reports: thief.reports(id).length };
  await thief.publishNotice(id, envelope);
  const entry = await entryAfter(home, before.seq, (one) => one.event === 'notice.refused');
  expect(entry).toMatchObject({ number, code, ja: expect.any(String) });
  const told = await seen(`report of ${number}`, 20_000, () =>
    thief
      .reports(id)
      .slice(before.reports)
      .find((one) => one.number === number),
  );
  expect(told).toMatchObject({ kind: 'failure', code });
  expect([installedOn(gateway), withoutRefusal(trustOn(gateway))]).toEqual([before.disk[0], withoutRefusal(before.disk[1] ?? {})]);
}

/** Each wish is refused with its code, in one report and one line of the log; the disk stays as it was, and what ran runs on. */
export async function expectWishesRefused(
  home: HomeUnderAttack,
  offer: () => Promise<void>,
  wishes: readonly (readonly [Target, ErrorCode])[],
): Promise<void> {
  const { gateway, thief, id } = home;
  const before = installedOn(gateway);
  await offer();
  for (const [{ target, software }, code] of wishes) {
    const { number } = catalogue[code];
    const told = await report(home, `the failure of ${software}`, (one) => one.target === target && one.kind === 'failure', 45_000);
    expect([software, told]).toMatchObject([software, { number, code, software }]);
  }
  expect(installedOn(gateway)).toEqual(before);
  const entries = (await logOf(gateway)).filter(
    ({ event, number }) => number !== undefined && event !== 'state.changed' && event !== 'download.retry',
  );
  for (const [{ software }, code] of wishes) {
    const failures = thief.reports(id).filter((one) => one.software === software && one.kind === 'failure');
    expect([software, new Set(failures.map(({ seq }) => seq)).size]).toEqual([software, 1]);
    expect(entries.filter((entry) => entry.software === software)).toMatchObject([{ code }]);
  }
  expect(await stateOf(home, 'demo.ipv4')).toMatch(/^running/);
}

export async function stateOf({ gateway }: Home, software: string): Promise<string | undefined> {
  return (await statusOf(gateway)).software.find((one) => one.software === software)?.state;
}

export function stateSeen(home: Home, software: string, isIt: RegExp): Promise<string> {
  return seen(`${software} ${isIt}`, 30_000, async () => {
    const state = await stateOf(home, software);
    if (state !== undefined && isIt.test(state)) return state;
    throw new Error(String(state));
  });
}

export async function newestSeq({ gateway }: Home): Promise<number> {
  return (await logOf(gateway)).at(-1)?.seq ?? 0;
}

export function entryAfter({ gateway }: Home, seq: number, isIt: (entry: LogEntry) => boolean, withinMs = 20_000): Promise<LogEntry> {
  return seen('the entry in the log', withinMs, async () => (await logOf(gateway)).find((entry) => entry.seq > seq && isIt(entry)));
}

/** That a notice was refused is noted beside the trust, and is no part of it. */
function withoutRefusal(tree: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tree).filter(([name]) => !name.includes('refus')));
}

/** A certificate for any provider's name, under the pinned provider CA whose key lies on the stolen server. */
export function signerUnderStolenCa({ world }: Home, provider: string): SigningParts {
  const at = (name: string) => path.join(world.serverData, 'pki', name);
  const ca: Issued = { pem: '', certFile: at('provider-ca.pem'), keyFile: at('provider-ca.key.pem') };
  return { signer: aSigner(ca, { extensions: leafExtensions(provider) }), chain: [] };
}

/** Somebody with keys and a CA of his own. */
export function aStranger(): SigningParts & { noticeKey: KeyObject } {
  return { signer: aSigner(aRootCa({ keyFile: keyFile('stranger') })), chain: [], noticeKey: aKey() };
}

/** How a root names the certificate of the provider `demo`, to revoke it. */
export function certificateOfDemo({ world }: Home): { issuer: KeyId; serial: string } {
  const leaf = new X509Certificate(signingOf(world).signer.pem);
  const ca = new X509Certificate(readFileSync(path.join(world.serverData, 'pki/provider-ca.pem')));
  return { issuer: keyidOf(ca.publicKey), serial: leaf.serialNumber.toLowerCase().replace(/^0+/, '') };
}

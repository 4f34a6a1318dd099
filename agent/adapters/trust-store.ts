import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import type { TsugiteError } from '../../protocol/errors.ts';
import { digest, providerId, softwareId, utcTime, version } from '../../protocol/fields.ts';
import type { ClockMemory, NoticeMemory, TrustStore } from '../ports/disk.ts';
import type { VersionFloor } from '../rules/version-floors.ts';
import { makeFolder, readFileIfAny, replaceFile } from './durable-file.ts';
import { makeJsonDocument } from './json-document.ts';

const noticeMemory = z.strictObject({
  v: z.literal(1),
  rootVersion: z.int(),
  mark: z.nullable(z.strictObject({ version: z.int(), sha256: digest })),
  envelope: z.nullable(z.string()),
  appliedAt: z.nullable(utcTime),
});
const clockMemory = z.strictObject({
  v: z.literal(1),
  rootVersion: z.int(),
  floor: z.strictObject({ rootMs: z.number(), noticeMs: z.number() }),
});
const versionFloors = z.strictObject({
  v: z.literal(1),
  floors: z.array(
    z.strictObject({
      software: softwareId,
      provider: providerId,
      signer: z.strictObject({ issuer: z.string(), serial: z.string() }),
      highest: z.nullable(version),
      minVersion: z.nullable(version),
    }),
  ),
});

const rootFile = /^root\.([1-9]\d{0,8})\.json$/;

/** `<data>/trust/`: the chain of roots as it came, the notice in force, and what must never go back. */
export function makeTrustStore(dataDir: string, onDamage: (error: TsugiteError) => void = () => {}): TrustStore {
  const folder = join(dataDir, 'trust');
  makeFolder(folder, 0o700);
  const notice = makeJsonDocument<NoticeMemory & { v: 1 }>(join(folder, 'notice.json'), (value) => noticeMemory.parse(value), { onDamage });
  const clock = makeJsonDocument<ClockMemory & { v: 1 }>(join(folder, 'clock.json'), (value) => clockMemory.parse(value), { onDamage });
  const floors = makeJsonDocument<{ v: 1; floors: VersionFloor[] }>(join(folder, 'versions.json'), (value) => versionFloors.parse(value), {
    onDamage,
  });
  const rootPath = (rootVersion: number) => join(folder, `root.${rootVersion}.json`);

  return {
    loadRoots() {
      const versions = readdirSync(folder).flatMap((name) => rootFile.exec(name)?.[1] ?? []);
      return new Map(versions.map((text) => [Number(text), readFileIfAny(rootPath(Number(text))) ?? Buffer.alloc(0)]));
    },
    saveRoot: (rootVersion, envelope) => replaceFile(rootPath(rootVersion), envelope),
    pinAnew(rootVersion, envelope) {
      for (const name of readdirSync(folder))
        if (name !== `root.${rootVersion}.json`) rmSync(join(folder, name), { force: true, recursive: true });
      replaceFile(rootPath(rootVersion), envelope);
    },
    loadNotice: () => withoutV(notice.load()),
    saveNotice: (memory) => notice.save({ v: 1, ...memory }),
    loadClock: () => withoutV(clock.load()),
    saveClock: (memory) => clock.save({ v: 1, ...memory }),
    loadVersionFloors: () => floors.load()?.floors ?? [],
    saveVersionFloors: (list) => floors.save({ v: 1, floors: [...list] }),
  };
}

function withoutV<Value extends { v: 1 }>(document: Value | undefined): Omit<Value, 'v'> | undefined {
  if (document === undefined) return undefined;
  const { v: _, ...value } = document;
  return value;
}

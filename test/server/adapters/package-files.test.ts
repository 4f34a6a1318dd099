import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { beforeEach, expect, test } from 'vitest';
import { openPackageFiles } from '../../../server/adapters/package-files.ts';
import { systemRandom } from '../../../server/adapters/random.ts';
import type { PackageFiles } from '../../../server/ports.ts';

let folder: string;
let files: PackageFiles;
beforeEach(async () => {
  folder = path.join(mkdtempSync(path.join(tmpdir(), 'tsugite-files-')), 'packages');
  files = await openPackageFiles(folder, systemRandom);
});
const incoming = () => readdirSync(path.join(folder, 'incoming'));

test('an upload gets its name by its digest, may get it twice, and is read in ranges', async () => {
  const bytes = randomBytes(100_000);
  const upload = await files.receive(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)]), 200_000);
  expect(upload).toMatchObject({ bytes: 100_000, sha256: createHash('sha256').update(bytes).digest('hex') });
  expect(await files.inspect(upload, async ({ readAt, storedBytes }) => [Buffer.from(readAt(99_990, 50)), storedBytes])).toEqual([
    bytes.subarray(99_990),
    100_000,
  ]);
  await files.adopt(upload);
  await files.adopt(upload);
  await files.drop(upload);
  expect(await files.size(upload.sha256)).toBe(100_000);
  expect(await buffer(files.open(upload.sha256, { start: 10, end: 19 }))).toEqual(bytes.subarray(10, 20));
  expect(incoming()).toEqual([]);
});

test('an upload that reaches the limit is cut there, and nothing of it stays', async () => {
  let given = 0;
  const endless = new Readable({
    read() {
      given += 1;
      this.push(Buffer.alloc(65_536));
    },
  });
  await expect(files.receive(endless, 1_000_000)).rejects.toMatchObject({ number: 'E302', detail: { limit: 1_000_000 } });
  expect(given).toBeLessThan(100);
  expect(incoming()).toEqual([]);
  expect((await files.receive(Readable.from([Buffer.alloc(999)]), 1000)).bytes).toBe(999);
  await expect(files.receive(Readable.from([Buffer.alloc(1000)]), 1000)).rejects.toMatchObject({ number: 'E302' });
});

test('an upload whose sender goes away leaves nothing', async () => {
  const broken = Readable.from(
    (async function* () {
      yield Buffer.alloc(10);
      throw new Error('gone');
    })(),
  );
  await expect(files.receive(broken, 1000)).rejects.toThrow('gone');
  expect(incoming()).toEqual([]);
});

test('what a stop cut short is removed at the next start; a package that is not there has no size', async () => {
  for (const name of ['one-half', 'two-present', 'two-forgotten']) writeFileSync(path.join(folder, 'incoming', name), 'x');
  const twoHoursAgo = new Date(Date.now() - 7_200_000);
  utimesSync(path.join(folder, 'incoming', 'two-forgotten'), twoHoursAgo, twoHoursAgo);
  await openPackageFiles(folder, systemRandom, 'one');
  expect(incoming()).toEqual(['two-present']); // which another server on the same folder takes at this moment
  const again = await openPackageFiles(folder, systemRandom);
  expect(incoming()).toEqual([]);
  expect(await again.size('0'.repeat(64) as never)).toBeUndefined();
});

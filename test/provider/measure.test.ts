import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseManifest } from '../../protocol/statements/manifest.ts';
import { type MeasuredPackage, measureRelease, verdictOf } from '../../provider/rules/measurement.ts';
import { aFile, aManifest, aTar } from '../support/packages.ts';
import { tsugite } from '../support/tsugite.ts';

const files = [aFile('main.js')];
const draft = aManifest(aTar(files), files);

function aMeasured(installedBytes: number, storedBytes: number, overrides: Record<string, unknown> = {}): MeasuredPackage {
  const manifest = { ...draft, payload: { ...draft.payload, installedBytes, tarBytes: installedBytes + 2048 }, ...overrides };
  return { input: 'x.tsg', manifest: parseManifest(Buffer.from(JSON.stringify(manifest))), storedBytes, isEstimate: false };
}

describe('price', () => {
  test('the sum of stored bytes gives the menu, the largest installed one the plan', () => {
    const release = [aMeasured(1_499_999, 3_000_000), aMeasured(1_500_000, 2_000_000)];
    expect(measureRelease(release, 100)).toMatchObject({
      storedBytes: 5_000_000,
      installedBytes: 1_500_000,
      quote: { menu: 2, plan: 2, monthly: { baseYen: 22_000, targetsYen: 22_000, totalYen: 44_000 }, oneOff: { totalYen: 29_480 } },
    });
  });
  test('in a grey band the other reading of M is shown', () => {
    const { quote, otherReading } = measureRelease([aMeasured(1_000_000, 5_100_000)], 1);
    expect(quote).toMatchObject({ menu: 2, flags: ['SIZE_UNIT_GREY'] });
    expect(otherReading).toMatchObject({ menu: 1 });
    expect(measureRelease([aMeasured(1_000_000, 4_999_999)], 1).otherReading).toBeUndefined();
  });
});

describe('models', () => {
  const small = aMeasured(1000, 1000);
  test('all fifteen take a small one', () => {
    const { models } = measureRelease([small], 1);
    expect(models).toHaveLength(15);
    expect(models.every(({ accepted }) => accepted)).toBe(true);
  });
  test('a 400 refuses 6,000,000 bytes with both numbers, a 500 takes them', () => {
    const large = aMeasured(6_213_004, 3_000_000);
    expect(verdictOf([large], 'PR-400KI')).toMatchObject({
      accepted: false,
      number: 'E304',
      detail: { limit: 6_000_000, actual: 6_213_004 },
    });
    expect(verdictOf([large], 'PR-500KI')).toMatchObject({ accepted: true });
    expect(verdictOf([aMeasured(5_999_999, 1)], 'PR-400KI')).toMatchObject({ accepted: true });
  });
  test('a model that the manifest does not name is refused as such', () => {
    expect(verdictOf([aMeasured(1, 1, { models: ['PR-500KI'] })], 'PR-400KI')).toMatchObject({ accepted: false, number: 'E207' });
  });
  test('resources above the profile are named, with both numbers', () => {
    const hungry = aMeasured(1, 1, { resources: { memoryBytes: 67_108_865, cpuPercent: 25, pids: 32, dataBytes: 0 } });
    expect(verdictOf([hungry], 'PR-400KI')).toMatchObject({
      accepted: false,
      number: 'E308',
      detail: { limit: 67_108_864, actual: 67_108_865 },
    });
    expect(verdictOf([hungry], 'PR-500KI')).toMatchObject({ accepted: true });
  });
  test('a release with a package for each series is taken by both', () => {
    const release = [aMeasured(1, 1, { models: ['PR-400KI'] }), aMeasured(7_000_000, 1, { models: ['PR-500KI'] })];
    expect([
      verdictOf(release, 'PR-400KI').accepted,
      verdictOf(release, 'PR-500KI').accepted,
      verdictOf(release, 'RT-500KI').accepted,
    ]).toEqual([true, true, false]);
  });
  test('a model that the catalogue does not know is refused', () => {
    expect(() => measureRelease([aMeasured(1, 1, { models: ['SG-100KI'] })], 1)).toThrow(/MODEL_UNKNOWN/);
  });
});

test('tsugite measure --model tells the limit and the measured value in Japanese, and ends with 3', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tsugite-measure-'));
  await tsugite('init', join(folder, 'src'));
  writeFileSync(join(folder, 'src', 'app', 'big.bin'), Buffer.alloc(6_213_004 - 1_336));
  const { code, json } = await tsugite('measure', join(folder, 'src'), '--model', 'PR-400KI', '--json');
  expect(code).toBe(3);
  expect(json).toMatchObject({ number: 'E304', code: 'SIZE_OVER_LIMIT', expected: 6_000_000, found: 6_213_004 });
  expect(json.ja).toContain('6,000,000');
  expect(json.ja).toContain('6,213,004');
  const all = await tsugite('measure', join(folder, 'src'), '--targets', '100');
  expect(all.code).toBe(0);
  expect(all.out).toContain('プラン5');
  expect(all.out).toMatch(/× PR-400KI {2}E304 .*6,213,004/);
  expect(all.out).toContain('○ PR-500KI');
});

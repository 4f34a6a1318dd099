import { expect, test } from 'vitest';
import { describe } from '../../protocol/errors.ts';
import { modelName } from '../../protocol/fields.ts';
import {
  eligibleSeries,
  findModel,
  fitsModel,
  gatewayModels,
  gatewayProfiles,
  modelsOfSeries,
  parseModelName,
  profileOf,
} from '../../protocol/gateway-models.ts';

test('the catalogue has the 15 models of the six series', () => {
  expect(gatewayModels.map(({ model }) => model)).toEqual([
    'PR-400KI',
    'PR-400MI',
    'PR-400NE',
    'RV-440KI',
    'RV-440MI',
    'RV-440NE',
    'RT-400KI',
    'RT-400MI',
    'RT-400NE',
    'PR-500KI',
    'PR-500MI',
    'RS-500KI',
    'RS-500MI',
    'RT-500KI',
    'RT-500MI',
  ]);
});

test('each model is a name that messages may carry, and says its series and maker', () => {
  for (const { model, series, vendor } of gatewayModels) {
    expect(modelName.safeParse(model).success).toBe(true);
    expect(parseModelName(model)).toEqual({ series, vendor });
    expect(profileOf(model)?.series).toContain(series);
  }
});

test.each(['SG-100KI', 'PR-500NE', 'PR-S300', 'XG-100NE', 'pr-400ki', 'PR-400KI ', ''])('%j is not one of them', (text) => {
  expect(findModel(text)).toBeUndefined();
  expect(profileOf(text)).toBeUndefined();
});

test('SG-100KI has the form of a model name, though the service does not list it', () => {
  expect(parseModelName('SG-100KI')).toMatchObject({ series: 'SG-100', vendor: { suffix: 'KI' } });
  expect(parseModelName('XG-100NE')).toBeUndefined();
});

test('the profiles are the invented ones, number by number', () => {
  const MiB = 1_048_576;
  expect(gatewayProfiles).toEqual([
    {
      name: 'hgw-400',
      series: ['PR-400', 'RV-440', 'RT-400'],
      isInvented: true,
      installedBytes: 6_000_000,
      storageBytes: 12_000_000,
      memoryBytes: 64 * MiB,
      memoryTotalBytes: 128 * MiB,
      software: 3,
      dataBytes: 4 * MiB,
      cpuPercent: 25,
      pids: 32,
      files: 256,
    },
    {
      name: 'hgw-500',
      series: ['PR-500', 'RS-500', 'RT-500'],
      isInvented: true,
      installedBytes: 7_500_000,
      storageBytes: 24_000_000,
      memoryBytes: 96 * MiB,
      memoryTotalBytes: 256 * MiB,
      software: 5,
      dataBytes: 8 * MiB,
      cpuPercent: 50,
      pids: 64,
      files: 512,
    },
  ]);
});

test('a size equal to the limit does not fit (未満)', () => {
  expect(fitsModel(5_999_999, 'PR-400KI')).toEqual({ kind: 'fits' });
  expect(fitsModel(6_000_000, 'PR-400KI')).toMatchObject({ kind: 'too-large', limit: 6_000_000, actual: 6_000_000 });
  expect(fitsModel(7_499_999, 'RT-500MI')).toEqual({ kind: 'fits' });
  expect(fitsModel(7_500_000, 'RT-500MI')).toMatchObject({ kind: 'too-large' });
});

test('a refusal is said with model, limit and measured size', () => {
  const fit = fitsModel(6_213_004, 'PR-400KI');
  if (fit.kind !== 'too-large') throw new Error('it fits');
  expect(describe(fit.code, fit)).toMatchObject({
    number: 'E304',
    ja: 'ソフトウェアのサイズがPR-400KIの条件（6,000,000バイト未満）を満たしていません（測定値：6,213,004バイト）。',
  });
});

test('a model that is not listed has no answer', () => {
  expect(() => fitsModel(1, 'SG-100KI')).toThrow(expect.objectContaining({ code: 'MODEL_UNKNOWN' }));
});

test('the eligible series are those of the day', () => {
  expect(eligibleSeries('2011-08-01')).toEqual([]);
  expect(eligibleSeries('2011-08-02').length).toBe(6);
  expect(eligibleSeries('2026-11-22')).toEqual(['PR-400', 'RV-440', 'RT-400', 'PR-500', 'RS-500', 'RT-500']);
  const ended = [{ series: 'PR-400', validFrom: '2011-08-02', validTo: '2030-03-31' }] as const;
  expect(eligibleSeries('2030-03-31', ended)).toEqual(['PR-400']);
  expect(eligibleSeries('2030-04-01', ended)).toEqual([]);
});

test('each series has its models', () => {
  expect(modelsOfSeries('RS-500').map(({ model }) => model)).toEqual(['RS-500KI', 'RS-500MI']);
});

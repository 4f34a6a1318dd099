import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describe as describeError } from '../../../protocol/errors.ts';
import { catalogueOn } from '../../../server/rules/catalogue-on.ts';
import { type ContractFacts, decideEligibility } from '../../../server/rules/eligibility.ts';
import {
  changesOn,
  type EligibilityCatalogue,
  eligibilityCatalogues,
  linesOn,
  seriesOn,
  standingOn,
} from '../../../server/rules/eligibility-catalogue.ts';
import { t1 } from '../../support/contract-facts.ts';

const row = { validFrom: '2026-04-01', newOrdersUntil: '2026-09-30', validTo: '2027-03-31' };

test.each([
  ['2026-03-31', 'not-yet'],
  ['2026-04-01', 'in-force'],
  ['2026-09-30', 'in-force'],
  ['2026-10-01', 'no-new-orders'],
  ['2027-03-31', 'no-new-orders'],
  ['2027-04-01', 'ended'],
])('on %s a row that closes in two steps is %s', (day, expected) => expect(standingOn(row, day)).toBe(expected));

describe('a catalogue of its own, with a series and a line that close in two steps', () => {
  const catalogue: EligibilityCatalogue = {
    profile: 'of this test',
    lines: [
      { line: 'NEXT_OTHER', validFrom: '2011-08-02' },
      { line: 'LIGHT', ...row },
    ],
    series: [
      { series: 'PR-400', suffixes: ['KI'], ...row },
      { series: 'PR-500', suffixes: ['KI'], validFrom: '2026-10-01' },
    ],
  };
  const ask = (day: string, asked: 'service' | 'new-order', changes: Partial<ContractFacts> = {}) =>
    decideEligibility({ ...t1, ...changes }, catalogue, day, asked);

  test('what was ordered goes on until the last day; a new order is refused after the last day for orders', () => {
    expect(ask('2026-09-30', 'new-order').result).toBe('ELIGIBLE');
    expect(ask('2026-10-01', 'service').result).toBe('ELIGIBLE');
    expect(ask('2026-10-01', 'new-order')).toMatchObject({ result: 'INELIGIBLE', fired: [{ code: 'ELIG_MODEL' }] });
    expect(ask('2027-04-01', 'service')).toMatchObject({ result: 'INELIGIBLE', fired: [{ code: 'ELIG_MODEL' }] });
    expect(ask('2026-10-01', 'new-order', { line: 'LIGHT', hgwModel: 'PR-500KI' }).fired).toMatchObject([{ code: 'ELIG_LINE' }]);
    expect(ask('2026-10-01', 'service', { line: 'LIGHT', hgwModel: 'PR-500KI' }).fired).toEqual([]);
  });

  test('E103 names the series of the catalogue in force on the day, those open to orders when one is asked for', () => {
    const told = (day: string, asked: 'service' | 'new-order', hgwModel = 'XG-100NE') => ask(day, asked, { hgwModel }).fired[0]?.detail;
    expect(told('2026-04-01', 'service')).toMatchObject({ date: '2026-04-01', series: ['PR-400'] });
    expect(told('2026-10-01', 'service')).toMatchObject({ series: ['PR-400', 'PR-500'] });
    expect(told('2026-10-01', 'new-order')).toMatchObject({ series: ['PR-500'] });
    expect(told('2027-04-01', 'service')).toMatchObject({ series: ['PR-500'] });
    expect(told('2026-10-01', 'new-order')).not.toHaveProperty('kind');
  });

  test('whoever comes too late is told so, not that the box was never eligible', () => {
    const [late] = ask('2026-10-01', 'new-order').fired;
    expect(late?.detail).toMatchObject({ kind: 'no-new-orders', series: ['PR-500'] });
    expect(describeError('ELIG_MODEL', late?.detail).ja).toContain('受付を終了しました');
    const [line] = ask('2026-10-01', 'new-order', { line: 'LIGHT', hgwModel: 'PR-500KI' }).fired;
    expect(describeError('ELIG_LINE', line?.detail).ja).toBe(
      'ご契約の回線（フレッツ 光ライト）では、新たな配信のお申し込みの受付を終了しました。',
    );
    expect(ask('2027-04-01', 'new-order').fired[0]?.detail).not.toHaveProperty('kind');
  });

  test('only a row that enters or leaves is everybody’s concern: the end of orders touches nobody who has ordered', () => {
    expect([...new Set(changesOn(catalogue))].sort()).toEqual(['2011-08-02', '2026-04-01', '2026-10-01', '2027-04-01']);
  });

  test('it is shown with each row’s standing on the day, in the words that people know', () => {
    expect(catalogueOn(catalogue, '2026-12-01')).toMatchObject({
      profile: 'of this test',
      day: '2026-12-01',
      lines: [
        { line: 'NEXT_OTHER', ja: 'フレッツ 光ネクスト', standing: 'in-force' },
        { line: 'LIGHT', standing: 'no-new-orders', newOrdersUntil: '2026-09-30', validTo: '2027-03-31' },
      ],
      series: [
        { series: 'PR-400', models: ['PR-400KI'], standing: 'no-new-orders' },
        { series: 'PR-500', models: ['PR-500KI'], standing: 'in-force' },
      ],
    });
  });
});

test('the profile `current` differs from `seed` in the end of the two Light lines and in nothing else', () => {
  const { seed, current } = eligibilityCatalogues;
  expect(current.series).toEqual(seed.series);
  for (const day of ['2011-08-01', '2011-08-02', '2025-03-31', '2025-04-01', '2026-11-22']) {
    const closed = [...linesOn(seed, day)].filter((line) => !linesOn(current, day).has(line));
    expect(closed).toEqual(day > '2025-03-31' ? ['LIGHT_PLUS', 'LIGHT'] : []);
  }
});

test('on any day, whatever may be newly ordered may also go on', () => {
  const aDay = fc.integer({ min: 0, max: 30_000 }).map((days) => new Date(days * 86_400_000).toISOString().slice(0, 10));
  const aRow = fc.tuple(aDay, aDay, aDay).map(([one, two, three]) => {
    const [validFrom = '', newOrdersUntil = '', validTo = ''] = [one, two, three].sort();
    return { series: 'PR-400' as const, suffixes: [], validFrom, newOrdersUntil, validTo };
  });
  fc.assert(
    fc.property(fc.array(aRow), aDay, (series, day) => {
      const catalogue = { profile: 'any', lines: [], series };
      const goingOn = seriesOn(catalogue, day, 'service');
      expect(seriesOn(catalogue, day, 'new-order').every((name) => goingOn.includes(name))).toBe(true);
    }),
  );
});

import { describe, expect, test } from 'vitest';
import { catalogue } from '../../../protocol/errors.ts';
import { type ContractFacts, decideEligibility, eligibilityClauses } from '../../../server/rules/eligibility.ts';
import { type CatalogueProfile, eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { t1 } from '../../support/contract-facts.ts';

/** `ELIGIBLE`, or the result and the numbers that fired: `INELIGIBLE E105+E106`. */
function ask(facts: Partial<ContractFacts>, day = '2026-11-22', profile: CatalogueProfile = 'seed'): string {
  const { result, fired } = decideEligibility({ ...t1, ...facts }, eligibilityCatalogues[profile], day);
  return [result, fired.map(({ code }) => catalogue[code].number).join('+')].join(' ').trim();
}

describe('the truth table of DOMAIN §4.3', () => {
  const gigaSmart = { line: 'NEXT_GIGA_SMART', hgwModel: 'PR-500KI' } as const;
  const gigaLine = { line: 'NEXT_GIGA_LINE', hgwModel: 'RS-500MI' } as const;
  const rows: [name: string, facts: Partial<ContractFacts>, expected: string][] = [
    ['T1 Hikari Next with a telephone', {}, 'ELIGIBLE'],
    ['T2 rental suffices', { hgwModel: 'RT-500KI', denwa: 'NONE', rental: true }, 'ELIGIBLE'],
    ['T3 neither telephone nor rental', { hgwModel: 'RT-500KI', denwa: 'NONE' }, 'INELIGIBLE E104'],
    ['T4 Giga Smart is exempt', { ...gigaSmart, denwa: 'NONE' }, 'ELIGIBLE'],
    ['T5 Giga Line is not exempt', { ...gigaLine, hgwModel: 'PR-500MI', denwa: 'NONE' }, 'INELIGIBLE E104'],
    ['T6 Light, per seed', { line: 'LIGHT', hgwModel: 'RV-440NE' }, 'ELIGIBLE'],
    ['T7 Light Plus with neither', { line: 'LIGHT_PLUS', hgwModel: 'RT-400KI', denwa: 'NONE' }, 'INELIGIBLE E104'],
    ['T8 office telephone and equipment on Giga Smart', { ...gigaSmart, denwa: 'OFFICE_TYPE', officeEq: 'yes' }, 'INELIGIBLE E105'],
    ['T9 the office contract alone does not exclude', { ...gigaSmart, denwa: 'OFFICE_TYPE' }, 'ELIGIBLE'],
    ['T10 Office A and equipment on Giga Line', { ...gigaLine, denwa: 'OFFICE_A', officeEq: 'yes' }, 'INELIGIBLE E105'],
    ['T11 the exclusion names giga lines only', { denwa: 'OFFICE_A', officeEq: 'yes' }, 'ELIGIBLE'],
    ['T12 equipment without an office contract', { ...gigaLine, officeEq: 'yes' }, 'ELIGIBLE'],
    ['T13 equipment unknown', { ...gigaLine, denwa: 'OFFICE_A', officeEq: 'unknown' }, 'HOLD E108'],
    ['T14 moved from B FLETs, no application', { bflets: true }, 'HOLD E106'],
    ['T15 applied is not completed', { bflets: true, typeChanged: 'applied' }, 'HOLD E106'],
    ['T16 type change completed', { bflets: true, typeChanged: 'completed' }, 'ELIGIBLE'],
    ['T17 no telephone in use', { bflets: true, denwa: 'NONE', rental: true }, 'ELIGIBLE'],
    ['T18 a series outside the list', { hgwModel: 'PR-S300' }, 'INELIGIBLE E103'],
    ['T19 no gateway', { hgwModel: null }, 'INELIGIBLE E102'],
    ['T20 Hikari Cross with its gateway', { line: 'CROSS', hgwModel: 'XG-100NE' }, 'INELIGIBLE E101+E103'],
    [
      'T21 two codes at once',
      { ...gigaLine, hgwModel: 'PR-500KI', denwa: 'OFFICE_A', officeEq: 'yes', bflets: true },
      'INELIGIBLE E105+E106',
    ],
    ['T23 the line was cancelled', { lineCancelled: true }, 'TERMINATED E107'],
    ['T23 the gateway contract was cancelled', { hgwCancelled: true }, 'TERMINATED E107'],
    ['T24 only the telephone was cancelled', { denwa: 'NONE' }, 'INELIGIBLE E104'],
    ['T25 T8 after the adapter is removed', { ...gigaSmart, denwa: 'OFFICE_TYPE', officeEq: 'no' }, 'ELIGIBLE'],
    ['SG-100KI is no series of the sheet', { hgwModel: 'SG-100KI' }, 'INELIGIBLE E103'],
  ];
  test.each(rows)('%s', (_, facts, expected) => {
    expect(ask(facts)).toBe(expected);
  });

  test.each(rows)('T22 a collab line changes nothing: %s', (_, facts, expected) => {
    expect(ask({ ...facts, access: 'COLLAB' })).toBe(expected);
  });

  test('T6 Light lines are closed from 2025-04-01 in the current catalogue, not in the seed', () => {
    for (const line of ['LIGHT', 'LIGHT_PLUS'] as const) {
      expect(ask({ line }, '2025-03-31', 'current')).toBe('ELIGIBLE');
      expect(ask({ line }, '2025-04-01', 'current')).toBe('INELIGIBLE E101');
      expect(ask({ line }, '2025-04-01', 'seed')).toBe('ELIGIBLE');
    }
  });

  test('T26 a Light line that was moved to Hikari Next stays eligible, and nothing was cancelled', () => {
    expect(ask({ line: 'LIGHT' }, '2025-03-31', 'current')).toBe('ELIGIBLE');
    expect(ask({ line: 'NEXT_OTHER' }, '2025-04-01', 'current')).toBe('ELIGIBLE');
  });

  test('a cancelled line outranks what is also wrong, and every code is told', () => {
    expect(ask({ line: 'CROSS', lineCancelled: true, hgwModel: null })).toBe('TERMINATED E101+E102+E107');
  });
});

describe('the whole domain against the oracle of DOMAIN §4.4', () => {
  const lines = ['LIGHT_PLUS', 'LIGHT', 'NEXT_GIGA_SMART', 'NEXT_GIGA_LINE', 'NEXT_OTHER', 'CROSS', 'NONE'] as const;
  const models = ['PR-400KI', 'RV-440MI', 'RT-400NE', 'PR-500KI', 'RS-500MI', 'RT-500KI', 'XG-100NE', null];

  function* everyCase(equipment: readonly ContractFacts['officeEq'][], changes: readonly ContractFacts['typeChanged'][]) {
    for (const line of lines)
      for (const access of ['DIRECT', 'COLLAB'] as const)
        for (const hgwModel of models)
          for (const denwa of ['NONE', 'STANDARD', 'OFFICE_TYPE', 'OFFICE_A'] as const)
            for (const rental of [true, false])
              for (const officeEq of equipment)
                for (const bflets of [true, false])
                  for (const typeChanged of changes)
                    yield {
                      line,
                      access,
                      hgwModel,
                      denwa,
                      rental,
                      officeEq,
                      bflets,
                      typeChanged,
                      lineCancelled: false,
                      hgwCancelled: false,
                    };
  }

  function tally(cases: Iterable<ContractFacts>) {
    const count = { all: 0, results: {}, codes: {}, sets: {}, eligibleLines: {} } as {
      all: number;
      results: Record<string, number>;
      codes: Record<string, number>;
      sets: Record<string, number>;
      eligibleLines: Record<string, number>;
    };
    const add = (into: Record<string, number>, name: string) => {
      into[name] = (into[name] ?? 0) + 1;
    };
    for (const facts of cases) {
      const { result, fired } = decideEligibility(facts, eligibilityCatalogues.seed, '2026-11-22');
      const numbers = fired.map(({ code }) => catalogue[code].number);
      count.all += 1;
      add(count.results, result);
      if (result === 'ELIGIBLE') add(count.eligibleLines, facts.line);
      for (const number of numbers) add(count.codes, number);
      add(count.sets, numbers.join());
    }
    return count;
  }

  test('7,168 cases: results, codes, and the most frequent sets', () => {
    const count = tally(everyCase(['yes', 'no'], ['completed', 'none']));
    expect(count.all).toBe(7168);
    expect(count.results).toEqual({ ELIGIBLE: 2736, HOLD: 336, INELIGIBLE: 4096 });
    expect(count.eligibleLines).toEqual({ LIGHT_PLUS: 672, LIGHT: 672, NEXT_OTHER: 528, NEXT_GIGA_SMART: 480, NEXT_GIGA_LINE: 384 });
    expect(count.codes).toEqual({ E101: 2048, E102: 896, E103: 896, E104: 512, E105: 512, E106: 576 });
    expect(count.sets).toMatchObject({ E101: 1536, E102: 456, E103: 456, E104: 384, E106: 336, E105: 288, 'E105,E106': 96 });
    const sizes = Object.entries(count.sets).filter(([set]) => set !== '');
    expect(Math.max(...sizes.map(([, size]) => size))).toBe(1536);
  });

  test('16,128 cases with unknown equipment and applied type changes', () => {
    const count = tally(everyCase(['yes', 'no', 'unknown'], ['none', 'applied', 'completed']));
    expect(count.all).toBe(16128);
    expect(count.results).toEqual({ ELIGIBLE: 5712, HOLD: 1488, INELIGIBLE: 8928 });
    expect(count.codes).toMatchObject({ E108: 768, E106: 1728 });
  });
});

test('a waiting type change says so, and a collab customer is named for its carrier', () => {
  const { fired } = decideEligibility(
    { ...t1, access: 'COLLAB', bflets: true, typeChanged: 'applied' },
    eligibilityCatalogues.seed,
    '2026-11-22',
  );
  expect(fired).toMatchObject([{ code: 'ELIG_TYPE_CHANGE', detail: { kind: 'applied', access: 'COLLAB' } }]);
});

test('every rule quotes a clause of the service sheet', () => {
  expect(eligibilityClauses().map(({ code }) => catalogue[code].number)).toEqual([
    'E101',
    'E102',
    'E103',
    'E104',
    'E105',
    'E106',
    'E107',
    'E108',
  ]);
  for (const { clause } of eligibilityClauses()) expect(clause.length).toBeGreaterThan(20);
});

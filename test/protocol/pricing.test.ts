import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TsugiteError } from '../../protocol/errors.ts';
import { type PriceTable, priceTableOf, sheetPrices } from '../../protocol/price-tables.ts';
import {
  isMenuGrey,
  isPlanGrey,
  mebibyteBytes,
  megabyteBytes,
  menuLimitBytes,
  menuOf,
  planLimitBytes,
  planOf,
  quote,
  taxInYen,
  workOrderYen,
} from '../../protocol/pricing.ts';

/** The class, or the number of the refusal. */
function outcome(classOf: () => number): number | string {
  try {
    return classOf();
  } catch (error) {
    if (error instanceof TsugiteError) return error.number;
    throw error;
  }
}

describe('the boundary table of the price sheet', () => {
  const grey = true;
  test.each([
    [0, 'E301', 'E301'],
    [1, 1, 1],
    [4_999_999, 1, 1],
    [5_000_000, 2, 1, grey],
    [5_242_879, 2, 1, grey],
    [5_242_880, 2, 2],
    [9_999_999, 2, 2],
    [10_000_000, 3, 2, grey],
    [14_999_999, 3, 3],
    [15_000_000, 4, 3, grey],
    [19_999_999, 4, 4],
    [20_000_000, 5, 4, grey],
    [20_971_519, 5, 4, grey],
    [20_971_520, 5, 5],
    [24_999_999, 5, 5],
    [25_000_000, 'E302', 5, grey],
    [26_214_399, 'E302', 5, grey],
    [26_214_400, 'E302', 'E302'],
    [30_000_000, 'E302', 'E302'],
  ])('%d bytes stored: menu %s, with M = 2^20 %s', (bytes, menu, menuInMebibytes, isGrey = false) => {
    expect(outcome(() => menuOf(bytes))).toBe(menu);
    expect(outcome(() => menuOf(bytes, mebibyteBytes))).toBe(menuInMebibytes);
    expect(isMenuGrey(bytes)).toBe(isGrey);
  });

  test.each([
    [0, 'E301', 'E301'],
    [1, 1, 1],
    [1_499_999, 1, 1],
    [1_500_000, 2, 1, grey],
    [1_572_863, 2, 1, grey],
    [1_572_864, 2, 2],
    [2_999_999, 2, 2],
    [3_000_000, 3, 2, grey],
    [4_499_999, 3, 3],
    [4_500_000, 4, 3, grey],
    [5_999_999, 4, 4],
    [6_000_000, 5, 4, grey],
    [7_499_999, 5, 5],
    [7_500_000, 'E303', 5, grey],
    [7_864_319, 'E303', 5, grey],
    [7_864_320, 'E303', 'E303'],
    [9_000_000, 'E303', 'E303'],
  ])('%d bytes measured: plan %s, with M = 2^20 %s', (bytes, plan, planInMebibytes, isGrey = false) => {
    expect(outcome(() => planOf(bytes))).toBe(plan);
    expect(outcome(() => planOf(bytes, mebibyteBytes))).toBe(planInMebibytes);
    expect(isPlanGrey(bytes)).toBe(isGrey);
  });
});

test.each([-1, -0, Number.NaN, Number.POSITIVE_INFINITY, 1.5, Number.MAX_SAFE_INTEGER + 1])('a size of %d is no size (E301)', (bytes) => {
  expect(outcome(() => menuOf(bytes))).toBe('E301');
  expect(outcome(() => planOf(bytes))).toBe('E301');
});

test('a refusal names the limit and the measured size', () => {
  expect(() => menuOf(25_000_000)).toThrow(
    expect.objectContaining({ code: 'SIZE_OVER_MENU', detail: { limit: 25_000_000, actual: 25_000_000 } }),
  );
  expect(() => planOf(7_500_000)).toThrow(
    expect.objectContaining({ code: 'SIZE_OVER_PLAN', detail: { limit: 7_500_000, actual: 7_500_000 } }),
  );
});

const sizes = fc.integer({ min: 1, max: 30_000_000 });
const units = fc.constantFrom(megabyteBytes, mebibyteBytes);

test('a larger software is never cheaper', () => {
  const rank = (classOf: () => number): number => {
    const found = outcome(classOf);
    return typeof found === 'number' ? found : 6;
  };
  fc.assert(
    fc.property(sizes, sizes, units, (a, b, unit) => {
      const [small, large] = [Math.min(a, b), Math.max(a, b)];
      expect(rank(() => menuOf(small, unit))).toBeLessThanOrEqual(rank(() => menuOf(large, unit)));
      expect(rank(() => planOf(small, unit))).toBeLessThanOrEqual(rank(() => planOf(large, unit)));
    }),
  );
});

test('a class holds exactly the sizes below its limit and not below the one before', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24_999_999 }), units, (bytes, unit) => {
      const menu = menuOf(bytes, unit);
      expect(bytes).toBeLessThan(menuLimitBytes(menu, unit));
      expect(bytes).toBeGreaterThanOrEqual(menuLimitBytes(menu, unit) - 5 * unit);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7_499_999 }), units, (bytes, unit) => {
      const plan = planOf(bytes, unit);
      expect(bytes).toBeLessThan(planLimitBytes(plan, unit));
      expect(bytes).toBeGreaterThanOrEqual(planLimitBytes(plan, unit) - 1.5 * unit);
    }),
  );
});

test('what is admitted with M = 10^6 is admitted with M = 2^20, in the same class or a lower one', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 24_999_999 }), (bytes) => {
      expect(menuOf(bytes, mebibyteBytes)).toBeLessThanOrEqual(menuOf(bytes));
      expect(isMenuGrey(bytes)).toBe(menuOf(bytes, mebibyteBytes) !== menuOf(bytes));
    }),
  );
});

test('every fee is whole yen, a multiple of 110, and so is the tax in it a whole number', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 24_999_999 }),
      fc.integer({ min: 1, max: 7_499_999 }),
      fc.nat(1_000_000),
      fc.constantFrom('new', 'change', 'other' as const),
      (storedBytes, installedBytes, targets, work) => {
        const { oneOff, monthly } = quote({ storedBytes, installedBytes, targets, work });
        for (const fee of [...Object.values(oneOff), ...Object.values(monthly)]) {
          expect(fee % 110).toBe(0);
          expect(Number.isSafeInteger(taxInYen(fee))).toBe(true);
        }
        expect(oneOff.contractYen + oneOff.basicWorkYen + oneOff.switchWorkYen).toBe(oneOff.totalYen);
        expect(monthly.baseYen + monthly.targetsYen).toBe(monthly.totalYen);
      },
    ),
  );
});

describe('the worked examples', () => {
  const example = { storedBytes: 4_999_999, installedBytes: 1_200_000, targets: 100, work: 'new' } as const;

  test('W1: a new software of 100 targets costs 29,480 once and 22,000 a month, 2,000 of it tax', () => {
    const { oneOff, monthly, flags } = quote(example);
    expect(oneOff).toEqual({ contractYen: 880, basicWorkYen: 1_100, switchWorkYen: 27_500, totalYen: 29_480 });
    expect(monthly).toEqual({ baseYen: 11_000, targetsYen: 11_000, totalYen: 22_000 });
    expect(taxInYen(monthly.totalYen)).toBe(2_000);
    expect(flags).toEqual([]);
  });
  test('W2: one byte more stored costs 33,000 a month', () => {
    expect(quote({ ...example, storedBytes: 5_000_000 }).monthly.totalYen).toBe(33_000);
  });
  test('W3: 1,500,000 bytes measured cost 33,000 a month', () => {
    expect(quote({ ...example, installedBytes: 1_500_000 }).monthly.totalYen).toBe(33_000);
  });
  test('W4: the largest software at 1,000 targets costs 605,000 a month', () => {
    expect(quote({ ...example, storedBytes: 24_999_999, installedBytes: 7_499_999, targets: 1_000 }).monthly).toEqual({
      baseYen: 55_000,
      targetsYen: 550_000,
      totalYen: 605_000,
    });
  });
  test('W5, W6: what no class holds has no quote', () => {
    expect(() => quote({ ...example, storedBytes: 25_000_000 })).toThrow(/E302/);
    expect(() => quote({ ...example, installedBytes: 7_500_000 })).toThrow(/E303/);
  });
  test('W13: two software in one work order cost 57,860, in two orders 58,960', () => {
    expect(workOrderYen(['new', 'new'])).toBe(57_860);
    expect(2 * workOrderYen(['new'])).toBe(58_960);
  });
  test('W14: a work of change (変更工事) costs 26,400, and 5.2M stored a base of 22,000 (11,000 with M = 2^20)', () => {
    const changed = { ...example, storedBytes: 5_200_000, work: 'change' } as const;
    expect(quote(changed).oneOff).toEqual({ contractYen: 0, basicWorkYen: 1_100, switchWorkYen: 25_300, totalYen: 26_400 });
    expect(quote(changed).monthly.baseYen).toBe(22_000);
    expect(quote(changed, mebibyteBytes).monthly.baseYen).toBe(11_000);
  });
  test('W15: another change (その他変更) alone costs 5,500', () => {
    expect(quote({ ...example, work: 'other' }).oneOff.totalYen).toBe(5_500);
  });
  test('W16: plan 1 and plan 3 at one site cost 440 a month', () => {
    const add = (installedBytes: number) => quote({ ...example, installedBytes, targets: 1 }).monthly.targetsYen;
    expect(add(1_000_000) + add(3_000_000)).toBe(440);
  });
  test('W17: menu 2 and plan 2 at 500 targets cost 1,584,000 a year', () => {
    expect(12 * quote({ ...example, storedBytes: 5_300_000, installedBytes: 1_600_000, targets: 500 }).monthly.totalYen).toBe(1_584_000);
  });
  test('W19: in the grey band the base is 22,000 or 11,000, and the line says so', () => {
    const inBand = { ...example, storedBytes: 5_100_000 };
    expect(quote(inBand)).toMatchObject({ monthly: { baseYen: 22_000 }, flags: ['SIZE_UNIT_GREY'] });
    expect(quote(inBand, mebibyteBytes)).toMatchObject({ monthly: { baseYen: 11_000 }, flags: ['SIZE_UNIT_GREY'] });
  });
});

test('no work costs nothing, and the three works have the prices of the sheet', () => {
  expect(workOrderYen([])).toBe(0);
  expect(sheetPrices.switchWorkYen).toEqual({ new: 27_500, change: 25_300, other: 4_400 });
});

test.each([-1, 1.5, Number.NaN])('%d targets are refused', (targets) => {
  expect(() => quote({ storedBytes: 1, installedBytes: 1, targets, work: 'new' })).toThrow(/E932/);
});

describe('price tables', () => {
  const table = (name: string, validFrom: string, validTo: string | null = null): PriceTable => ({
    ...sheetPrices,
    name,
    validFrom,
    validTo,
  });

  test('of those that count in a month, the one that began last is in force', () => {
    const tables = [table('first', '2019-10'), table('second', '2026-04'), table('trial', '2026-06', '2026-06')];
    const inForce = (month: string) => priceTableOf(month, tables).name;
    expect(['2019-10', '2026-03', '2026-04', '2026-06', '2026-07'].map(inForce)).toEqual(['first', 'first', 'second', 'trial', 'second']);
  });
  test('a month without a table is told, not guessed (E804)', () => {
    expect(() => priceTableOf('2019-09')).toThrow(/E804/);
    expect(() => priceTableOf('2027-01', [table('ended', '2019-10', '2026-12')])).toThrow(/E804/);
  });
});

test.each([
  [11_000, 10, 1_000],
  [105, 5, 5],
  [100, 8, 7],
  [0, 10, 0],
])('in %d yen at %d %% there are %d yen of tax', (totalYen, taxPercent, taxYen) => {
  expect(taxInYen(totalYen, taxPercent)).toBe(taxYen);
});

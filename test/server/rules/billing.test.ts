/** DOMAIN §3.3 and §3.4: every statement and every worked example of the prices, as tests of the rules. */
import { describe, expect, test } from 'vitest';
import { softwareId } from '../../../protocol/fields.ts';
import { mebibyteBytes, menuOf, planOf } from '../../../protocol/pricing.ts';
import { firstChargedMonth } from '../../../server/rules/billing-period.ts';
import { type Facts, heater, invoiceFor, jst } from '../../support/billing.ts';

const other = softwareId.parse('light.acme');
const newWork = (completed: number) => ({ completed, items: [[heater, 'new']] as const });
const total = (month: string, facts: Facts, terms = {}) => invoiceFor(month, facts, terms).totalYen;
const monthly = (month: string, facts: Facts) => total(month, { ...facts, works: [] });

describe('the worked examples', () => {
  const april = jst('2026-04-10');
  const w1 = (stored: number, installed: number, count = 100): Facts => ({
    software: [{ registered: april, stored }],
    targets: [{ ready: april, installed, count }],
    works: [newWork(april)],
  });

  test('W1: April owes 29,480 once and nothing monthly, May 22,000 of which 2,000 is tax', () => {
    expect(invoiceFor('2026-04', w1(4_999_999, 1_200_000))).toMatchObject({ totalYen: 29_480, software: 0, targets: 0 });
    expect(invoiceFor('2026-05', w1(4_999_999, 1_200_000))).toMatchObject({ totalYen: 22_000, taxYen: 2_000, software: 1, targets: 100 });
  });
  test('W2: one byte more stored makes May 33,000', () => expect(total('2026-05', w1(5_000_000, 1_200_000))).toBe(33_000));
  test('W3: 1,500,000 bytes measured make May 33,000', () => expect(total('2026-05', w1(4_999_999, 1_500_000))).toBe(33_000));
  test('W4: the largest sizes at 1,000 targets cost 605,000 a month', () =>
    expect(total('2026-05', w1(24_999_999, 7_499_999, 1_000))).toBe(605_000));
  test('W5: 25,000,000 bytes stored are refused (E302)', () => expect(() => menuOf(25_000_000)).toThrow(/E302/));
  test('W6: 7,500,000 bytes measured are refused (E303)', () => expect(() => planOf(7_500_000)).toThrow(/E303/));

  test.each([
    ['W7', '2026-04-01T00:00:00+09:00', '2026-05'],
    ['W7', '2026-04-30T23:59:59+09:00', '2026-05'],
    ['W7', '2026-04-30T15:00:00Z', '2026-06'],
    ['W8', '2026-12-15T12:00:00+09:00', '2027-01'],
    ['W9', '2028-02-29T23:59:59+09:00', '2028-03'],
  ])('%s: registered at %s, first charged in %s', (_, time, month) => {
    const registered = Date.parse(time);
    expect(firstChargedMonth(registered)).toBe(month);
    const facts = { software: [{ registered }], targets: [{ ready: registered }] };
    const months = ['2026-04', '2026-05', '2026-06', '2026-12', '2027-01', '2028-02', '2028-03'];
    expect(months.find((one) => total(one, facts) > 0)).toBe(month);
    expect(total(month, facts)).toBe(11_110);
  });

  const w10: Facts = {
    software: [{ registered: april }],
    targets: [
      { ready: april, count: 10 },
      { ready: jst('2026-05-10'), count: 5 },
    ],
  };
  test('W10: ten targets in April and five more in May: 12,100, then 12,650', () => {
    expect([total('2026-05', w10), total('2026-06', w10)]).toEqual([12_100, 12_650]);
  });
  test('W11: a line lost on 10 June is charged in June and no more in July', () => {
    const lost: Facts = {
      ...w10,
      targets: [
        { ready: april, count: 9 },
        { ready: april, endedOn: '2026-06-10' },
        { ready: jst('2026-05-10'), count: 5 },
      ],
    };
    expect([total('2026-06', lost), total('2026-07', lost)]).toEqual([12_650, 12_540]);
  });
  test('W12: registered on the 10th and cancelled on the 25th: 29,480 once, nothing monthly', () => {
    const facts: Facts = { software: [{ registered: april, cancelledOn: '2026-04-25' }], works: [newWork(april)] };
    expect(['2026-04', '2026-05', '2026-06'].map((month) => total(month, facts))).toEqual([29_480, 0, 0]);
  });
  test('W13: two software in one work order cost 57,860, in two orders 58,960', () => {
    const items = [
      [heater, 'new'],
      [other, 'new'],
    ] as const;
    expect(total('2026-04', { works: [{ completed: april, items }] })).toBe(57_860);
    expect(total('2026-04', { works: items.map((item) => ({ completed: april, items: [item] })) })).toBe(58_960);
  });
  test('W14: a release of 5.2M in June costs 26,400 in June, and 22,000 a month from July on (11,000 with M = 2^20)', () => {
    const grown = (unitBytes: number): Facts => ({
      software: [
        {
          registered: april,
          stored: [
            { since: april, bytes: 4_800_000 },
            { since: jst('2026-06-12'), bytes: 5_200_000 },
          ],
          unitBytes,
        },
      ],
      works: [{ completed: jst('2026-06-12'), items: [[heater, 'change']] }],
    });
    expect([total('2026-06', grown(1_000_000)), total('2026-07', grown(1_000_000))]).toEqual([26_400 + 11_000, 22_000]);
    expect([total('2026-06', grown(mebibyteBytes)), total('2026-07', grown(mebibyteBytes))]).toEqual([26_400 + 11_000, 11_000]);
  });
  test('W15: another change alone costs 5,500', () =>
    expect(total('2026-04', { works: [{ completed: april, items: [[heater, 'other']] }] })).toBe(5_500));

  const site = 'site0000000000000001' as never;
  const w16: Facts = {
    targets: [
      { ready: april, installed: 1_000_000, site },
      { ready: april, installed: 3_000_000, site, software: other },
    ],
  };
  test('W16: software of plan 1 and of plan 3 at one site cost 440 a month', () => expect(total('2026-05', w16)).toBe(440));
  test('W17: menu 2 and plan 2 at 500 targets cost 1,584,000 in the fiscal year after March', () => {
    const march = jst('2026-03-20');
    const facts: Facts = {
      software: [{ registered: march, stored: 5_300_000 }],
      targets: [{ ready: march, installed: 1_600_000, count: 500 }],
    };
    const year = ['04', '05', '06', '07', '08', '09', '10', '11', '12']
      .map((month) => `2026-${month}`)
      .concat('2027-01', '2027-02', '2027-03');
    expect(total('2026-03', facts)).toBe(0);
    expect(year.reduce((sum, month) => sum + total(month, facts), 0)).toBe(1_584_000);
  });
  test('W18, B-9: a review that pauses deliveries all August changes nothing in August: no state of software or target is asked for', () => {
    expect([monthly('2026-07', w10), monthly('2026-08', w10), monthly('2026-09', w10)]).toEqual([12_650, 12_650, 12_650]);
  });
  test('W19: in the grey band the line says its unit and the flag', () => {
    const grey = (unitBytes: number) => invoiceFor('2026-05', { software: [{ registered: april, stored: 5_100_000, unitBytes }] });
    expect(grey(1_000_000)).toMatchObject({
      totalYen: 22_000,
      lines: [{ unit: 'MB', measuredBytes: 5_100_000, flags: ['SIZE_UNIT_GREY'] }],
    });
    expect(grey(mebibyteBytes)).toMatchObject({ totalYen: 11_000, lines: [{ unit: 'MiB', menu: 1, flags: ['SIZE_UNIT_GREY'] }] });
  });

  test('D-07, the other reading: one plan for the site, by the sum of the sizes', () => {
    const terms = { readings: { planPer: 'site' } } as const;
    const two = (one: number, more: number): Facts => ({
      targets: [
        { ready: april, installed: one, site },
        { ready: april, installed: more, site, software: other },
      ],
    });
    expect(invoiceFor('2026-05', two(500_000, 500_000), terms)).toMatchObject({
      totalYen: 110,
      lines: [{ software: null, measuredBytes: 1_000_000 }],
    });
    expect(total('2026-05', w16, terms)).toBe(330); // 4.0M
    expect(total('2026-05', two(4_000_000, 4_000_000), terms)).toBe(660); // no class is printed for 8M: each by itself
    expect(invoiceFor('2026-05', two(500_000, 500_000))).toMatchObject({ totalYen: 220 });
  });
});

describe('the statements', () => {
  const april = jst('2026-04-10');
  const plain: Facts = { software: [{ registered: april }], targets: [{ ready: april, count: 3 }], works: [newWork(april)] };

  test('B-1: nothing monthly in the month of registration, all of it from the next one on', () => {
    expect(['2026-03', '2026-04', '2026-05', '2026-06'].map((month) => monthly(month, plain))).toEqual([0, 0, 11_330, 11_330]);
  });
  test('B-2: a target that came or went at any hour costs whole months', () => {
    const facts: Facts = { targets: [{ ready: jst('2026-04-30 23:59'), endedOn: '2026-06-01' }] };
    expect(['2026-04', '2026-05', '2026-06', '2026-07'].map((month) => total(month, facts))).toEqual([0, 110, 110, 0]);
  });
  test('B-3: software and target have registration dates of their own', () => {
    const facts: Facts = { software: [{ registered: april }], targets: [{ ready: jst('2026-06-02') }] };
    expect(['2026-05', '2026-06', '2026-07'].map((month) => total(month, facts))).toEqual([11_000, 11_000, 11_110]);
  });
  test('B-3, D-09: a target is registered when it leaves HOLD; with the other reading when it was ordered', () => {
    const facts: Facts = { targets: [{ requested: april, ready: jst('2026-06-02') }] };
    const months = ['2026-05', '2026-06', '2026-07'];
    expect(months.map((month) => total(month, facts))).toEqual([0, 0, 110]);
    expect(months.map((month) => total(month, facts, { readings: { registeredAt: 'accepted' } }))).toEqual([110, 110, 110]);
    expect(total('2026-07', { targets: [{ requested: april, ready: null }] })).toBe(0); // still on HOLD, or refused there
  });
  test('B-4: the month of cancellation is charged in full, the next one is not', () => {
    const facts: Facts = { software: [{ registered: april, cancelledOn: '2026-06-01' }] };
    expect(['2026-05', '2026-06', '2026-07'].map((month) => total(month, facts))).toEqual([11_000, 11_000, 0]);
  });
  test('B-5: registered and cancelled in one month: nothing monthly, the initial fees stay due', () => {
    const facts: Facts = {
      software: [{ registered: april, cancelledOn: '2026-04-30' }],
      targets: [{ ready: april, endedOn: '2026-04-30' }],
      works: [newWork(april)],
    };
    expect(['2026-04', '2026-05'].map((month) => total(month, facts))).toEqual([29_480, 0]);
  });
  test('B-6, D-35: a class changed in June is priced from July on; changed at the first moment of July as well', () => {
    const facts = (since: number): Facts => ({
      targets: [
        {
          ready: april,
          installed: [
            { since: april, bytes: 1_000_000 },
            { since, bytes: 1_600_000 },
          ],
        },
      ],
    });
    const months = ['2026-06', '2026-07', '2026-08'];
    expect(months.map((month) => total(month, facts(jst('2026-06-30 23:59'))))).toEqual([110, 220, 220]);
    expect(months.map((month) => total(month, facts(jst('2026-07-01 00:00'))))).toEqual([110, 220, 220]);
    expect(months.map((month) => total(month, facts(jst('2026-07-01 00:01'))))).toEqual([110, 110, 220]);
  });
  test('B-7: 基本工事費 once a work order, 契約料 and 交換機等工事費 once a software in it; no contract fee for a change', () => {
    const items = [
      [heater, 'change'],
      [other, 'new'],
    ] as const;
    const { lines } = invoiceFor('2026-04', { works: [{ completed: april, items }] });
    expect(lines.map(({ rule, software, amountYen }) => [rule, software, amountYen])).toEqual([
      ['work-basic', null, 1_100],
      ['work-switch', heater, 25_300],
      ['contract-once', other, 880],
      ['work-switch', other, 27_500],
    ]);
    expect(invoiceFor('2026-04', { works: [{ completed: april, items: [] }] }).lines).toEqual([]);
  });
  test('B-8: nothing is added to the prices; the tax in the total is a whole number', () => {
    expect(invoiceFor('2026-05', plain)).toMatchObject({
      totalYen: 11_330,
      taxYen: 1_030,
      taxes: [{ taxPercent: 10, totalYen: 11_330, taxYen: 1_030 }],
    });
  });
  test('B-10: a target whose line is lost ends its own fee, the base fee goes on', () => {
    const facts: Facts = { software: [{ registered: april }], targets: [{ ready: april, endedOn: '2026-05-31' }] };
    expect(['2026-05', '2026-06'].map((month) => total(month, facts))).toEqual([11_110, 11_000]);
  });
  test('B-11: every line carries its rule, class, measured bytes, unit and registration in Japan time', () => {
    const { lines } = invoiceFor('2026-05', {
      software: [{ registered: Date.parse('2026-04-09T15:30:00Z') }],
      targets: [{ ready: jst('2026-04-10 09:00') }, { ready: jst('2026-04-29 23:59') }],
    });
    expect(lines).toEqual([
      {
        no: 1,
        rule: 'base-monthly',
        software: heater,
        workOrder: null,
        work: null,
        menu: 1,
        plan: null,
        measuredBytes: 4_000_000,
        unit: 'MB',
        registeredFrom: '2026-04-10T00:30:00.000+09:00',
        registeredTo: '2026-04-10T00:30:00.000+09:00',
        quantity: 1,
        unitYen: 11_000,
        amountYen: 11_000,
        taxPercent: 10,
        priceTable: 'sheet-2019-10',
        flags: [],
      },
      expect.objectContaining({
        rule: 'target-monthly',
        plan: 1,
        measuredBytes: 1_000_000,
        unit: 'MB',
        registeredFrom: '2026-04-10T09:00:00.000+09:00',
        registeredTo: '2026-04-29T23:59:00.000+09:00',
        quantity: 2,
        amountYen: 220,
      }),
    ]);
  });
});

test('D-22: a work is charged in the month of its completion; one that came too late for its closed month in the next that is closed', () => {
  const facts: Facts = { works: [newWork(jst('2026-04-30 23:59'))] };
  expect(total('2026-04', facts)).toBe(29_480);
  expect(total('2026-05', facts)).toBe(0);
  expect(total('2026-05', facts, { closed: ['2026-04'] })).toBe(29_480); // the rest of the world has not charged it: charged_work_orders
  expect(total('2026-03', facts, { closed: ['2026-04'] })).toBe(0);
});

test('a charge without a class on record for the month is refused, never charged as nothing', () => {
  const later = [{ since: jst('2026-06-10'), bytes: 1_000_000 }];
  const fault = (subject: string) =>
    expect.objectContaining({ code: 'BILLING_CLASS_MISSING', detail: { month: '2026-05', subjects: [subject] } });
  expect(() => invoiceFor('2026-05', { software: [{ registered: jst('2026-04-10'), stored: later }] })).toThrow(fault(heater));
  expect(() => invoiceFor('2026-05', { targets: [{ ready: jst('2026-04-10'), installed: later }] })).toThrow(fault(expect.any(String)));
});

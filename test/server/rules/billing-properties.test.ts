/** DOMAIN §3.4: what holds for every set of facts and every month. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SoftwareId, softwareId } from '../../../protocol/fields.ts';
import type { WorkKind } from '../../../protocol/price-tables.ts';
import { mebibyteBytes, megabyteBytes } from '../../../protocol/pricing.ts';
import { lastDayOf, monthStartMs, nextMonth } from '../../../server/rules/japan-month.ts';
import { type Facts, invoiceFor, type Software, type Targets, type Works } from '../../support/billing.ts';

const names: SoftwareId[] = ['a', 'b', 'c'].map((name) => softwareId.parse(`${name}.acme`));
const months = ['2027-11', '2027-12', '2028-01', '2028-02', '2028-03', '2028-04'];
/** Any moment of the six months, a leap day among them, the first and the last of each month as often as any other. */
const moment = fc.oneof(
  fc.integer({ min: monthStartMs('2027-11'), max: monthStartMs('2028-05') - 1 }),
  fc.constantFrom(...months).chain((month) => fc.constantFrom(monthStartMs(month), monthStartMs(nextMonth(month)) - 1)),
);
const end = fc.option(
  fc.constantFrom(...months).chain((month) => fc.constantFrom(`${month}-01`, `${month}-15`, lastDayOf(month))),
  { nil: undefined },
);
const unitBytes = fc.constantFrom(megabyteBytes, mebibyteBytes);
const software: fc.Arbitrary<Software> = fc
  .record({ name: fc.constantFrom(...names), registered: moment, ended: end, stored: fc.integer({ min: 1, max: 24_999_999 }), unitBytes })
  .map(({ name, ended, ...more }) => ({ software: name, ...(ended === undefined ? {} : { cancelledOn: ended }), ...more }));
const targets: fc.Arbitrary<Targets> = fc
  .record({
    software: fc.constantFrom(...names),
    count: fc.integer({ min: 1, max: 30 }),
    ready: moment,
    ended: end,
    installed: fc.integer({ min: 1, max: 7_499_999 }),
    unitBytes,
  })
  .map(({ ended, ...more }) => ({ ...(ended === undefined ? {} : { endedOn: ended }), ...more }));
const kind = fc.constantFrom<WorkKind[]>('new', 'change', 'other');
const works: fc.Arbitrary<Works> = fc.record({
  completed: moment,
  items: fc.uniqueArray(fc.tuple(fc.constantFrom(...names), kind), { maxLength: 3, selector: ([name]) => name }),
});
const facts: fc.Arbitrary<Facts> = fc.record({
  software: fc.uniqueArray(software, { maxLength: 3, selector: (one) => one.software }),
  targets: fc.array(targets, { maxLength: 6 }),
  works: fc.array(works, { maxLength: 3 }),
});
const month = fc.constantFrom(...months);
const readings = fc.record({ registeredAt: fc.constantFrom('ready', 'accepted'), planPer: fc.constantFrom('software', 'site') } as const);

test('the lines add up to the total, the total is a multiple of 110, and the tax in it is an eleventh', () => {
  fc.assert(
    fc.property(month, facts, readings, (one, all, read) => {
      const invoice = invoiceFor(one, all, { readings: read });
      expect(invoice.lines.reduce((sum, line) => sum + line.amountYen, 0)).toBe(invoice.totalYen);
      for (const line of invoice.lines) expect(line.amountYen).toBe(line.quantity * line.unitYen);
      expect(invoice.totalYen % 110).toBe(0);
      expect(invoice.taxYen * 11).toBe(invoice.totalYen);
    }),
  );
});

test('a larger software or target never makes a cheaper month', () => {
  fc.assert(
    fc.property(month, software, targets, fc.nat(20_000_000), fc.nat(6_000_000), (one, base, add, moreStored, moreInstalled) => {
      const larger = {
        software: [{ ...base, stored: Math.min(Number(base.stored) + moreStored, 24_999_999) }],
        targets: [{ ...add, installed: Math.min(Number(add.installed) + moreInstalled, 7_499_999) }],
      };
      expect(invoiceFor(one, larger).totalYen).toBeGreaterThanOrEqual(invoiceFor(one, { software: [base], targets: [add] }).totalYen);
    }),
  );
});

test('a moment that moves inside its month in Japan changes no amount in any month', () => {
  const moved = (at: number, part: number): number => {
    const start = months
      .map(monthStartMs)
      .filter((ms) => ms <= at)
      .at(-1) as number;
    const over = monthStartMs(nextMonth(months.find((one) => monthStartMs(one) === start) as string));
    return start + Math.floor(part * (over - start));
  };
  fc.assert(
    fc.property(facts, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (all, part) => {
      const other: Facts = {
        software: (all.software ?? []).map((one) => ({ ...one, registered: moved(one.registered, part) })),
        targets: (all.targets ?? []).map((one) => ({ ...one, ready: moved(Number(one.ready), part) })),
        works: (all.works ?? []).map((one) => ({ ...one, completed: moved(one.completed, part) })),
      };
      for (const one of months) expect(invoiceFor(one, other).totalYen).toBe(invoiceFor(one, all).totalYen);
    }),
  );
});

test('a software that goes on is charged once in every month after its first, and one that ended in every month up to that of its end', () => {
  fc.assert(
    fc.property(software, (one) => {
      const charged = months.filter((each) => invoiceFor(each, { software: [one] }).totalYen > 0);
      const registered = months.filter((each) => monthStartMs(each) <= one.registered).length;
      const last = one.cancelledOn === undefined ? months.length : months.indexOf(one.cancelledOn.slice(0, 7)) + 1;
      expect(charged).toEqual(months.slice(registered, last));
    }),
  );
});

test('the order in which facts come in changes nothing', () => {
  fc.assert(
    fc.property(month, facts, (one, all) => {
      const backwards: Facts = {
        software: [...(all.software ?? [])].reverse(),
        targets: [...(all.targets ?? [])].reverse(),
        works: [...(all.works ?? [])].reverse(),
      };
      const shown = (from: Facts) =>
        invoiceFor(one, from).lines.map(({ workOrder, ...line }) => ({ ...line, isWork: workOrder !== null, no: 0 }));
      const key = (line: object) => JSON.stringify(line);
      expect(shown(backwards).map(key).sort()).toEqual(shown(all).map(key).sort());
    }),
  );
});

/** What a work order would cost, before anything is registered: through the API, with the worked examples of DOMAIN §3. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { japanMonth, monthStartMs, nextMonth } from '../../../server/rules/japan-month.ts';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

let rig: PeopleSideRig;
/** The month that follows now, and the next. */
const first = nextMonth(japanMonth(Date.now()));
const second = nextMonth(first);
const endOf = (month: string) => monthStartMs(nextMonth(month)) - 60_000;

beforeEach(() => {
  rig.clock.offsetMs = 0;
});

describe('a quote', () => {
  beforeAll(async () => {
    rig = await aPeopleSide();
    rig.clock.offsetMs = monthStartMs(first) - Date.now() + 1;
    await rig.aProvider('acme');
    await rig.aProvider('other');
    await rig.admit(rig.aPackage());
  });
  afterAll(() => rig.stop());
  const quote = (items: object[], who = 'provider:acme') => rig.ask(who, 'POST', '/quotes', { items });
  const small = { storedBytes: 4_999_999, installedBytes: 1_200_000 };

  test('W1: tells what is due once, by the month, and from which month on', async () => {
    rig.clock.offsetMs = endOf(first) - Date.now();
    expect(await quote([{ software: 'light.acme', packages: [small], targets: 100 }])).toMatchObject({
      status: 200,
      body: {
        workMonth: first,
        firstChargedMonth: second,
        oneOff: { contractYen: 880, basicWorkYen: 1_100, switchWorkYen: 27_500, totalYen: 29_480, taxYen: 2_680 },
        monthly: { baseYen: 11_000, targetsYen: 11_000, totalYen: 22_000, taxYen: 2_000 },
        now: { totalYen: 0 },
      },
    });
  });
  test('W13: two software in one order pay its basic fee once', async () => {
    const two = ['light.acme', 'lamp.acme'].map((software) => ({ software, packages: [small], targets: 0 }));
    expect((await quote(two)).body).toMatchObject({ oneOff: { totalYen: 57_860 }, monthly: { totalYen: 22_000 } });
  });
  test('of a registered software is a change, for the targets that it has, beside what it costs now', async () => {
    const { customerId } = await rig.aCustomer();
    await rig.order(customerId);
    const packages = [
      { storedBytes: 3_000_000, installedBytes: 1_000_000 },
      { storedBytes: 2_200_000, installedBytes: 1_600_000 },
    ];
    expect((await quote([{ software: 'heater.acme', packages }])).body).toMatchObject({
      oneOff: { contractYen: 0, switchWorkYen: 25_300 },
      now: { baseYen: 11_000, targetsYen: 110 },
      monthly: { baseYen: 22_000, targetsYen: 220 },
      items: [
        {
          work: 'change',
          sizes: {
            storedBytes: 5_200_000,
            menu: 2,
            plan: 2,
            targets: 1,
            flags: ['SIZE_UNIT_GREY'],
            otherReading: { unit: 'MiB', menu: 1, plan: 2, totalYen: 11_220 },
          },
        },
      ],
    });
  });
  test('W15: other changes need no package and change no monthly fee', async () => {
    expect((await quote([{ software: 'heater.acme', work: 'other' }])).body).toMatchObject({
      oneOff: { totalYen: 5_500 },
      monthly: { totalYen: 0 },
      items: [{ sizes: null }],
    });
  });
  test.each([
    ['W5: 25,000,000 bytes stored', { packages: [{ storedBytes: 25_000_000, installedBytes: 1 }] }, 'E302'],
    ['W6: 7,500,000 bytes measured', { packages: [{ storedBytes: 1, installedBytes: 7_500_000 }] }, 'E303'],
    ['D-29: nothing', { packages: [{ storedBytes: 0, installedBytes: 0 }] }, 'E301'],
  ])('%s have none', async (_, item, number) => {
    expect(await quote([{ software: 'light.acme', ...item }])).toMatchObject({ status: 422, body: { number } });
  });
  test('of another provider’s software is refused; what it costs is nobody else’s matter', async () => {
    expect(await quote([{ software: 'heater.acme', packages: [small] }], 'provider:other')).toMatchObject({
      status: 422,
      body: { code: 'SOFTWARE_ID_TAKEN' },
    });
  });
  test.each([
    ['a work that the software had already', [{ software: 'heater.acme', work: 'new', packages: [small] }]],
    ['a change of what is not there', [{ software: 'light.acme', work: 'change', packages: [small] }]],
    ['no package', [{ software: 'light.acme' }]],
    [
      'one software twice',
      [
        { software: 'light.acme', packages: [small] },
        { software: 'light.acme', packages: [small] },
      ],
    ],
    ['half a target', [{ software: 'light.acme', packages: [small], targets: 0.5 }]],
    ['nothing at all', []],
  ])('%s is refused with the field', async (_, items) => {
    expect(await quote(items)).toMatchObject({ status: 400, body: { context: { faults: [{ field: expect.stringMatching(/^items/) }] } } });
  });
});

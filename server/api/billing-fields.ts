/** What quotes and closed months are made of, as callers read them. Amounts are whole yen, tax included. */
import * as z from 'zod/mini';
import { digest, providerId, randomId, softwareId } from '../../protocol/fields.ts';
import { type DocumentKind, documentKinds } from '../flows/invoice-documents.ts';
import { month, time } from './fields.ts';
import { code, maybe, menu, targetState } from './shapes.ts';

const yen = z.int().check(z.nonnegative());
const count = z.int().check(z.nonnegative());
const unit = z.enum(['MB', 'MiB']);
const work = z.enum(['new', 'change', 'other']);
const monthly = { baseYen: yen, targetsYen: yen, totalYen: yen };
const who = z.enum(['provider', 'operator', 'collabCarrier', 'customer', 'installer', 'nobody']);

const size = z.int().check(z.gte(0), z.lte(Number.MAX_SAFE_INTEGER));
export const quoteItem = z.strictObject({
  software: softwareId,
  work: z.optional(work),
  packages: z.optional(z.array(z.strictObject({ storedBytes: size, installedBytes: size })).check(z.minLength(1), z.maxLength(64))),
  targets: z.optional(z.int().check(z.gte(0), z.lte(10_000_000))),
});

const quotedSizes = z.strictObject({
  storedBytes: count,
  installedBytes: count,
  unit,
  menu,
  plan: menu,
  targets: count,
  targetYen: yen,
  monthly: z.strictObject(monthly),
  flags: z.array(z.enum(['SIZE_UNIT_GREY'])),
  otherReading: maybe(z.strictObject({ unit, menu, plan: menu, totalYen: yen })),
});
export const quoted = z.strictObject({
  workMonth: month,
  firstChargedMonth: month,
  oneOff: z.strictObject({ contractYen: yen, basicWorkYen: yen, switchWorkYen: yen, totalYen: yen, taxYen: yen }),
  monthly: z.strictObject({ ...monthly, taxYen: yen }),
  now: z.strictObject(monthly),
  items: z.array(z.strictObject({ software: softwareId, work, oneOffYen: yen, sizes: maybe(quotedSizes) })),
});

const closed = {
  month,
  closedAt: time,
  closedBy: z.string(),
  invoices: count,
  totalYen: yen,
  taxYen: yen,
  software: count,
  targets: count,
};
export const closedMonth = z.strictObject(closed);
export const closedNow = z.strictObject({ ...closed, isRepeat: z.boolean() });

export const documentKind = z.enum(Object.keys(documentKinds) as DocumentKind[]);
export const listedInvoice = z.strictObject({
  provider: providerId,
  number: z.string(),
  totalYen: yen,
  taxYen: yen,
  lines: count,
  software: count,
  targets: count,
  documents: z.array(z.strictObject({ kind: documentKind, file: z.string(), bytes: count, sha256: digest })),
});

export const billedNotInstalled = z.strictObject({
  target: randomId,
  software: softwareId,
  state: targetState,
  since: time,
  registeredAt: z.string(),
  yen,
  code: maybe(code),
  number: maybe(z.string()),
  who,
});

/** W1 of DOMAIN §3.4. */
export const quoteExample = {
  body: {
    items: [{ software: 'jp.example.hinata.heater', packages: [{ storedBytes: 4_999_999, installedBytes: 1_200_000 }], targets: 100 }],
  },
  answer: {
    workMonth: '2026-04',
    firstChargedMonth: '2026-05',
    oneOff: { contractYen: 880, basicWorkYen: 1_100, switchWorkYen: 27_500, totalYen: 29_480, taxYen: 2_680 },
    monthly: { baseYen: 11_000, targetsYen: 11_000, totalYen: 22_000, taxYen: 2_000 },
    now: { baseYen: 0, targetsYen: 0, totalYen: 0 },
    items: [
      {
        software: 'jp.example.hinata.heater',
        work: 'new',
        oneOffYen: 28_380,
        sizes: {
          storedBytes: 4_999_999,
          installedBytes: 1_200_000,
          unit: 'MB',
          menu: 1,
          plan: 1,
          targets: 100,
          targetYen: 110,
          monthly: { baseYen: 11_000, targetsYen: 11_000, totalYen: 22_000 },
          flags: [],
          otherReading: null,
        },
      },
    ],
  },
};

export const monthExample = {
  month: '2026-05',
  closedAt: '2026-06-01T00:12:00.000Z',
  closedBy: 'operator',
  invoices: 1,
  totalYen: 22_000,
  taxYen: 2_000,
  software: 1,
  targets: 100,
};
export const invoiceExample = {
  provider: 'hinata',
  number: '2026-05-hinata',
  totalYen: 22_000,
  taxYen: 2_000,
  lines: 2,
  software: 1,
  targets: 100,
  documents: [
    { kind: 'csv', file: '2026-05-hinata.csv', bytes: 912, sha256: '5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8' },
  ],
};
export const notInstalledExample = {
  target: 'k3v7q2m5x8b4n6c9d1f0g2h4',
  software: 'jp.example.hinata.heater',
  state: 'FAILED',
  since: '2026-04-12T03:04:05.678Z',
  registeredAt: '2026-04-10T12:00:00.000+09:00',
  yen: 110,
  code: 'STORE_NO_SPACE',
  number: 'E305',
  who: 'operator',
};

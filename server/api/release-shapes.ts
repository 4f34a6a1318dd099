/** What is said of a package that was taken in: its sizes, its price classes, the models that cannot take it. */
import * as z from 'zod/mini';
import { count, digest, positive, version } from '../../protocol/fields.ts';
import { code, menu } from './shapes.ts';

export const work = z.enum(['new', 'change', 'other']);
export const classes = {
  storedBytes: positive,
  installedBytes: positive,
  menu,
  plan: menu,
  flags: z.array(z.literal('SIZE_UNIT_GREY')),
};
export const refusedModels = z.array(
  z.strictObject({ model: z.string(), code, limitName: z.string(), limit: z.number(), actual: z.number() }),
);
export const admission = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('repeat'), version }),
  z.strictObject({ kind: z.literal('resign'), replaces: digest, ...classes }),
  z.strictObject({ kind: z.literal('admit'), work: z.optional(work), refusedModels, ...classes }),
]);
/** 一時費用 and 月額. */
export const yen = z.strictObject({ oneOffYen: count, monthlyYen: count });

export const shownClasses = { storedBytes: 412_160, installedBytes: 902_144, menu: 1, plan: 1 };
export const shownAdmission = { kind: 'admit', work: 'new', refusedModels: [], ...shownClasses, flags: [] };
export const shownYen = { oneOffYen: 29_480, monthlyYen: 11_000 };
/** One story with `shown`: the order that registers its release. */
export const shownOrder = {
  order: 'w5kz7hq2mvx3tb6nyd4rcj8gpa',
  provider: 'acme',
  state: 'COMPLETED',
  note: '',
  openedBy: '株式会社エース 配信担当',
  createdAt: '2026-11-22T01:30:00.000Z',
  completedAt: '2026-11-22T01:30:00.000Z',
  cancelledAt: null,
  cancelReason: null,
  accepted: { ...shownYen, by: '株式会社エース 配信担当', at: '2026-11-22T01:30:00.000Z' },
  items: [
    {
      software: 'heater.acme',
      work: 'new',
      note: '',
      release: 'r6bt4jw2xmv5hk7qzn3cyd2pga',
      version: '1.0.0',
      releaseState: 'ADMITTED',
      menu: 1,
      plan: 1,
    },
  ],
};
export const shownOpenOrder = {
  ...shownOrder,
  state: 'OPEN',
  note: '2台分をまとめて新設',
  openedBy: '運用担当',
  completedAt: null,
  accepted: null,
  items: [{ ...shownOrder.items[0], releaseState: 'MEASURED', menu: null, plan: null }],
};

/** Quotes, and the months that were closed. */
import * as z from 'zod/mini';
import { providerId, randomId, softwareId } from '../../../protocol/fields.ts';
import type { makeBilledNotInstalled } from '../../flows/billed-not-installed.ts';
import type { makeCloseMonth } from '../../flows/close-month.ts';
import type { makeClosedMonths } from '../../flows/closed-months.ts';
import type { makeQuoteWork } from '../../flows/quote-work.ts';
import {
  billedNotInstalled,
  closedMonth,
  closedNow,
  documentKind,
  invoiceExample,
  listedInvoice,
  monthExample,
  notInstalledExample,
  quoted,
  quoteExample,
  quoteItem,
} from '../billing-fields.ts';
import { month } from '../fields.ts';
import { type Route, route } from '../route.ts';

export function billingRoutes(flows: {
  closeMonth: ReturnType<typeof makeCloseMonth>;
  closedMonths: ReturnType<typeof makeClosedMonths>;
  quoteWork: ReturnType<typeof makeQuoteWork>;
  notInstalled: ReturnType<typeof makeBilledNotInstalled>;
}): Route[] {
  const { closeMonth, closedMonths, quoteWork, notInstalled } = flows;
  const ofMonth = z.strictObject({ month });
  const example = { params: { month: '2026-05' }, answer: monthExample };
  return [
    route({
      method: 'POST',
      path: '/quotes',
      roles: ['operator', 'provider'],
      summary: 'What a work order would cost: once, by the month, and from which month on. Nothing is kept',
      body: z.strictObject({
        items: z.array(quoteItem).check(
          z.minLength(1),
          z.maxLength(50),
          z.refine((items) => new Set(items.map(({ software }) => software)).size === items.length, 'each software once'),
        ),
      }),
      answer: quoted,
      example: quoteExample,
      handle: ({ body, actor }) => quoteWork(body.items, actor),
    }),
    route({
      method: 'POST',
      path: '/billing/months/:month/close',
      roles: ['operator'],
      summary: 'Close a month: an invoice for every provider. Closed again it stays as it is',
      params: ofMonth,
      answer: closedNow,
      example: { ...example, answer: { ...monthExample, isRepeat: false } },
      handle: ({ params, actor }) => closeMonth(params.month, actor),
    }),
    route({
      method: 'GET',
      path: '/billing/months',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'Closed months; for a provider with its own sums',
      list: month,
      answer: closedMonth,
      example: { answer: monthExample },
      handle: ({ actor, page }) => closedMonths.list(actor, page),
    }),
    route({
      method: 'GET',
      path: '/billing/months/:month',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'A closed month',
      params: ofMonth,
      answer: closedMonth,
      example,
      handle: ({ params, actor }) => closedMonths.show(params.month, actor),
    }),
    route({
      method: 'GET',
      path: '/billing/months/:month/invoices',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'Invoices of a closed month, with the digests of their documents',
      params: ofMonth,
      list: providerId,
      answer: listedInvoice,
      example: { ...example, answer: invoiceExample },
      handle: ({ params, actor, page }) => closedMonths.invoices(params.month, actor, page),
    }),
    route({
      method: 'GET',
      path: '/billing/months/:month/invoices/:provider/:kind',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'A document of an invoice, byte for byte: json, csv, html, or targets (CSV, one row an add-on fee)',
      params: z.strictObject({ month, provider: providerId, kind: documentKind }),
      isFile: true,
      handle: ({ params: { kind, ...key }, actor }) => closedMonths.document(key, kind, actor),
    }),
    route({
      method: 'GET',
      path: '/billing/months/:month/not-installed',
      roles: ['operator', 'provider', 'viewer'],
      summary: 'Targets that are charged in a month, closed or not, and run nothing: with the reason and who has to act',
      params: ofMonth,
      query: z.strictObject({ software: z.optional(softwareId), provider: z.optional(providerId) }),
      list: randomId,
      answer: billedNotInstalled,
      example: { ...example, answer: notInstalledExample },
      handle: ({ params, query, actor, page }) => notInstalled(params.month, query, actor, page),
    }),
  ];
}

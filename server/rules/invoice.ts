/** An invoice (請求書): a provider's lines of one month, in their order, added up rate by rate (DOMAIN §12: 適格請求書). */
import { TsugiteError } from '../../protocol/errors.ts';
import type { ProviderId } from '../../protocol/fields.ts';
import { taxInYen } from '../../protocol/pricing.ts';
import { type ChargeRule, chargeRules, type InvoiceLine } from './billing-lines.ts';
import type { BillingReadings } from './billing-readings.ts';
import { firstDayOf, lastDayOf } from './japan-month.ts';

/** Who sends it. Without a registration the paper says that it is no 適格請求書. */
export type Issuer = {
  readonly name: string;
  readonly registrationNumber: string | null;
  readonly address: string | null;
  readonly contact: string | null;
};

/** What the configuration says of the issuer. `none`: not registered as 適格請求書発行事業者, which is said so that nobody forgets the number. */
export type IssuerSettings = {
  readonly name: string;
  readonly registrationNumber?: string | undefined;
  readonly address?: string | undefined;
  readonly contact?: string | undefined;
};

export type TaxTotal = { readonly taxPercent: number; readonly totalYen: number; readonly taxYen: number };
export type NumberedLine = InvoiceLine & { readonly no: number };

export type Invoice = {
  readonly v: 1;
  /** `2026-05-hinata`: one a provider and month. */
  readonly number: string;
  readonly isQualified: boolean;
  readonly month: string;
  /** 取引年月日: the days in Japan that it is for. */
  readonly from: string;
  readonly to: string;
  readonly issuedOn: string;
  readonly issuer: Issuer;
  readonly recipient: { readonly provider: ProviderId; readonly name: string };
  readonly totalYen: number;
  readonly taxYen: number;
  /** 税率ごとの合計（税込）と消費税額等: rounded once a rate, never a line. */
  readonly taxes: readonly TaxTotal[];
  readonly software: number;
  readonly targets: number;
  readonly readings: BillingReadings;
  readonly lines: readonly NumberedLine[];
};

/** @throws TsugiteError INVOICE_ISSUER_MISSING: a month that is closed cannot be given its number afterwards */
export function issuerOf({ name, registrationNumber, address, contact }: IssuerSettings): Issuer {
  if (registrationNumber === undefined) throw new TsugiteError('INVOICE_ISSUER_MISSING', { fields: ['billing.registrationNumber'] });
  return {
    name,
    registrationNumber: registrationNumber === 'none' ? null : registrationNumber,
    address: address ?? null,
    contact: contact ?? null,
  };
}

export function invoiceOf(it: {
  month: string;
  issuedOn: string;
  issuer: Issuer;
  recipient: Invoice['recipient'];
  readings: BillingReadings;
  lines: readonly InvoiceLine[];
}): Invoice {
  const { month, issuedOn, issuer, recipient, readings } = it;
  const lines = [...it.lines].sort(byPlace).map((line, index) => ({ no: index + 1, ...line }));
  const taxes = taxTotals(lines);
  const counted = (rule: ChargeRule) => lines.filter((line) => line.rule === rule).reduce((sum, { quantity }) => sum + quantity, 0);
  return {
    v: 1,
    number: `${month}-${recipient.provider}`,
    isQualified: issuer.registrationNumber !== null,
    month,
    from: firstDayOf(month),
    to: lastDayOf(month),
    issuedOn,
    issuer,
    recipient,
    totalYen: sumOf(lines),
    taxYen: taxes.reduce((sum, { taxYen }) => sum + taxYen, 0),
    taxes,
    software: counted('base-monthly'),
    targets: counted('target-monthly'),
    readings,
    lines,
  };
}

export function taxTotals(lines: readonly InvoiceLine[]): TaxTotal[] {
  const rates = [...new Set(lines.map(({ taxPercent }) => taxPercent))].sort((one, other) => other - one);
  return rates.map((taxPercent) => {
    const totalYen = sumOf(lines.filter((line) => line.taxPercent === taxPercent));
    return { taxPercent, totalYen, taxYen: taxInYen(totalYen, taxPercent) };
  });
}

function sumOf(lines: readonly InvoiceLine[]): number {
  return lines.reduce((sum, { amountYen }) => sum + amountYen, 0);
}

const rank = (rule: ChargeRule) => Object.keys(chargeRules).indexOf(rule);

/** Software by software, each with its targets; then the works as they were completed. The same data always give the same order. */
function byPlace(one: InvoiceLine, other: InvoiceLine): number {
  const isWork = (line: InvoiceLine) => Number(line.workOrder !== null);
  return (
    isWork(one) - isWork(other) ||
    (isWork(one) === 1
      ? compare(one.registeredTo, other.registeredTo) ||
        compare(one.workOrder, other.workOrder) ||
        Number(one.rule !== 'work-basic') - Number(other.rule !== 'work-basic') ||
        compare(one.software, other.software) ||
        rank(one.rule) - rank(other.rule)
      : compare(one.software, other.software) ||
        rank(one.rule) - rank(other.rule) ||
        (one.plan ?? 0) - (other.plan ?? 0) ||
        (one.measuredBytes ?? 0) - (other.measuredBytes ?? 0) ||
        compare(one.unit, other.unit))
  );
}

/** By code units: the same on every machine, which a locale's order is not. null comes last. */
function compare(one: string | null, other: string | null): number {
  if (one === other) return 0;
  if (one === null || other === null) return one === null ? 1 : -1;
  return one < other ? -1 : 1;
}

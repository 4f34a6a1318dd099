/** The add-on fees (配信対象ごと加算料) of one provider: what each target owes, and the few invoice lines that many of them make. */
import { TsugiteError } from '../../protocol/errors.ts';
import type { RandomId, SoftwareId } from '../../protocol/fields.ts';
import type { PriceTable } from '../../protocol/price-tables.ts';
import { isPlanGrey, type PriceClass, planLimitBytes, planOf, targetFeeYen } from '../../protocol/pricing.ts';
import { type InvoiceLine, nothing, unitOf } from './billing-lines.ts';
import { isChargedIn } from './billing-period.ts';
import type { BillingReadings } from './billing-readings.ts';
import { japanTime } from './japan-day.ts';

/** D-11: a change of size counts from the next month on, as a registration does: the class at the month's first moment is the month's (D-35). */
export type PlanClass = { readonly plan: PriceClass; readonly installedBytes: number; readonly unitBytes: number };
export type ChargedTarget = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly site: RandomId;
  readonly requestedAtMs: number;
  /** null: never left HOLD. */
  readonly readyAtMs: number | null;
  readonly endedOn: string | null;
  readonly planClass: PlanClass | null;
};

/** One add-on fee: of one target, or with `planPer: site` of all of the provider's targets at a site. */
export type TargetCharge = {
  readonly targets: readonly RandomId[];
  readonly software: readonly SoftwareId[];
  readonly site: RandomId;
  readonly registeredAtMs: number;
  readonly plan: PriceClass;
  readonly measuredBytes: number;
  readonly unitBytes: number;
  readonly yen: number;
};

/**
 * What a provider owes for its targets at one site.
 *
 * D-23: what is registered is charged, delivered or not; who is charged for nothing is told in the report, with who has to act.
 *
 * @param targets  all of this provider's at the site, in any state: failed, suspended or not yet delivered ones are charged too (B-9, D-12)
 * @throws TsugiteError BILLING_CLASS_MISSING
 */
export function chargesOfSite(
  month: string,
  targets: readonly ChargedTarget[],
  prices: PriceTable,
  readings: BillingReadings,
): TargetCharge[] {
  const charges = targets.flatMap((target) => chargeOf(month, target, prices, readings) ?? []);
  return readings.planPer === 'site' ? together(charges, prices) : charges;
}

function chargeOf(month: string, it: ChargedTarget, prices: PriceTable, { registeredAt }: BillingReadings): TargetCharge | undefined {
  const registeredAtMs = registeredAt === 'ready' ? it.readyAtMs : it.requestedAtMs;
  if (registeredAtMs === null || !isChargedIn(month, { registeredAtMs, endedOn: it.endedOn })) return undefined;
  if (it.planClass === null) throw new TsugiteError('BILLING_CLASS_MISSING', { month, subjects: [it.target] });
  const { plan, installedBytes: measuredBytes, unitBytes } = it.planClass;
  const { target, software, site } = it;
  const yen = targetFeeYen(plan, prices);
  return { targets: [target], software: [software], site, registeredAtMs, plan, measuredBytes, unitBytes, yen };
}

/** A sum for which no class is printed, or of sizes measured in different units, cannot be charged as one: then each is charged by itself. */
function together(charges: readonly TargetCharge[], prices: PriceTable): TargetCharge[] {
  const [first] = charges;
  if (first === undefined || charges.length === 1) return [...charges];
  const { site, unitBytes } = first;
  const measuredBytes = charges.reduce((sum, charge) => sum + charge.measuredBytes, 0);
  if (measuredBytes >= planLimitBytes(5, unitBytes) || charges.some((charge) => charge.unitBytes !== unitBytes)) return [...charges];
  const plan = planOf(measuredBytes, unitBytes);
  return [
    {
      targets: charges.flatMap((charge) => charge.targets),
      software: charges.flatMap((charge) => charge.software),
      site,
      registeredAtMs: Math.min(...charges.map((charge) => charge.registeredAtMs)),
      plan,
      measuredBytes,
      unitBytes,
      yen: targetFeeYen(plan, prices),
    },
  ];
}

/** Adds up charges as they come: those of the same software, size and class are one line, with its first and last registration. */
export function makeTargetTally(prices: PriceTable) {
  const groups = new Map<string, { first: TargetCharge; count: number; fromMs: number; toMs: number }>();
  return {
    add(charge: TargetCharge): void {
      const { software, plan, measuredBytes, unitBytes, registeredAtMs } = charge;
      const key = JSON.stringify([software.length === 1 ? software : [], plan, measuredBytes, unitBytes]);
      const group = groups.get(key) ?? { first: charge, count: 0, fromMs: registeredAtMs, toMs: registeredAtMs };
      group.count += 1;
      group.fromMs = Math.min(group.fromMs, registeredAtMs);
      group.toMs = Math.max(group.toMs, registeredAtMs);
      groups.set(key, group);
    },
    lines: (): InvoiceLine[] =>
      [...groups.values()].map(({ first: { software, plan, measuredBytes, unitBytes, yen }, count, fromMs, toMs }) => ({
        ...nothing(prices),
        rule: 'target-monthly',
        software: software.length === 1 ? (software[0] as SoftwareId) : null,
        plan,
        measuredBytes,
        unit: unitOf(unitBytes),
        registeredFrom: japanTime(fromMs),
        registeredTo: japanTime(toMs),
        quantity: count,
        unitYen: yen,
        amountYen: yen * count,
        flags: isPlanGrey(measuredBytes) ? ['SIZE_UNIT_GREY'] : [],
      })),
  };
}

/** Which days a field report is about, and what a provider may see of them. */
import type { MeasurementRow } from '../../protocol/field-report.ts';
import { dayAfter, japanDay } from './japan-day.ts';
import { firstDayOf, japanMonth, lastDayOf } from './japan-month.ts';

const dayMs = 86_400_000;
const recentDays = 30;

/** Days in Japan, both within. */
export type Period = { readonly from: string; readonly to: string };

/**
 * A calendar month, or the last 30 days with today. Nothing in between: two periods of a provider's own choice, a day apart, would tell the one home
 * that came or went between them.
 */
export function periodOf(month: string | undefined, nowMs: number): Period {
  if (month !== undefined) return { from: firstDayOf(month), to: lastDayOf(month) };
  return { from: japanDay(nowMs - (recentDays - 1) * dayMs), to: japanDay(nowMs) };
}

/** Whose fees stand beside the installs. */
export function monthOf(month: string | undefined, nowMs: number): string {
  return month ?? japanMonth(nowMs);
}

/** From the first moment of the period to the first moment after it. */
export function momentsOf({ from, to }: Period): { readonly fromAt: Date; readonly untilAt: Date } {
  const startOf = (day: string) => new Date(`${day}T00:00:00+09:00`);
  return { fromAt: startOf(from), untilAt: startOf(dayAfter(to)) };
}

/** What so few gateways measured stays untold, and so does what too few of many said of themselves. */
export function hideFew(row: MeasurementRow, minGateways: number): MeasurementRow {
  if (row.gateways >= minGateways) return { ...row, own: row.own?.filter(({ gateways }) => gateways >= minGateways) ?? null };
  return {
    ...row,
    isHidden: true,
    memoryPeakKiB: null,
    dataKiB: null,
    hoursUp: null,
    restarts: null,
    deniedConnections: null,
    own: null,
  };
}

/** In which months something is charged (DOMAIN B-1 to B-5, D-10): whole months, never a part of one. */
import { japanMonth, monthOfDay, nextMonth } from './japan-month.ts';

/** `endedOn`: the day in Japan on which it was cancelled, `YYYY-MM-DD`; null while it goes on. */
export type ChargedPeriod = { readonly registeredAtMs: number; readonly endedOn: string | null };

/** B-1: 登録月の翌月より課金. */
export function firstChargedMonth(registeredAtMs: number): string {
  return nextMonth(japanMonth(registeredAtMs));
}

/**
 * D-10: the month of cancellation is charged in full, since nothing is ever pro rata (日割り計算は行いません); so what is cancelled in the month of its
 * registration is never charged by the month.
 */
export function isChargedIn(month: string, { registeredAtMs, endedOn }: ChargedPeriod): boolean {
  return firstChargedMonth(registeredAtMs) <= month && (endedOn === null || month <= monthOfDay(endedOn));
}

/**
 * D-22: a work is charged in the month in which it was completed. One that was committed only after that month had been closed is charged in the
 * next month that is: once, and never lost.
 */
export function isWorkChargedIn(month: string, completedAtMs: number, closedMonths: ReadonlySet<string>): boolean {
  const completed = japanMonth(completedAtMs);
  return completed === month || (completed < month && closedMonths.has(completed));
}

/** Months in Japan (D-08), `YYYY-MM`: what a charge is due for, and when a month begins and is over. */
import { japanDay } from './japan-day.ts';

export function japanMonth(ms: number): string {
  return japanDay(ms).slice(0, 7);
}

/** The month of a day in Japan, `YYYY-MM-DD`. */
export function monthOfDay(day: string): string {
  return day.slice(0, 7);
}

export function nextMonth(month: string): string {
  const [year, number] = month.split('-').map(Number) as [number, number];
  return number === 12 ? `${String(year + 1).padStart(4, '0')}-01` : `${month.slice(0, 5)}${String(number + 1).padStart(2, '0')}`;
}

/** The first moment of a month; it is also the first moment that the month before no longer has. */
export function monthStartMs(month: string): number {
  return Date.parse(`${month}-01T00:00:00+09:00`);
}

export function firstDayOf(month: string): string {
  return `${month}-01`;
}

export function lastDayOf(month: string): string {
  return japanDay(monthStartMs(nextMonth(month)) - 1);
}

export function isMonthOver(month: string, nowMs: number): boolean {
  return nowMs >= monthStartMs(nextMonth(month));
}

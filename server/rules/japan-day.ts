/** D-08: days and months (登録月) are Japan's, by the server's clock at acceptance. There is no summer time. */
const japanOffsetMs = 9 * 3_600_000;
const dayMs = 86_400_000;

/** The day in Japan, `YYYY-MM-DD` (D-08). */
export function japanDay(ms: number): string {
  return new Date(ms + japanOffsetMs).toISOString().slice(0, 10);
}

/** A moment as it is told in Japan, RFC 3339 with its offset. */
export function japanTime(ms: number): string {
  return new Date(ms + japanOffsetMs).toISOString().replace('Z', '+09:00');
}

/** The last day in Japan that has ended. */
export function lastEndedDay(ms: number): string {
  return japanDay(ms - dayMs);
}

/** The next day of the calendar, `YYYY-MM-DD` in and out. */
export function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + dayMs).toISOString().slice(0, 10);
}

/** How long until this day in Japan ends. */
export function untilDayEndMs(ms: number): number {
  return dayMs - ((((ms + japanOffsetMs) % dayMs) + dayMs) % dayMs);
}

/** @returns how many days `later` comes after `earlier`, negative when before; both `YYYY-MM-DD` */
export function daysBetween(earlier: string, later: string): number {
  return Math.round((Date.parse(`${later}T00:00:00Z`) - Date.parse(`${earlier}T00:00:00Z`)) / dayMs);
}

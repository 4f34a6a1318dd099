const offsetMs = 9 * 3_600_000; // Japan has no summer time

/** The day in Japan, `YYYY-MM-DD` (D-08). */
export function japanDay(ms: number): string {
  return new Date(ms + offsetMs).toISOString().slice(0, 10);
}

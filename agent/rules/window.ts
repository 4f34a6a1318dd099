const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Japan has no daylight saving time, so one offset is enough. */
const jstOffsetMs = 9 * 60 * minuteMs;

export type InstallWindow = { from: string; to: string };

/**
 * How long until the window (JST, `to` exclusive, may cross midnight) is open: 0 while it is. A window of equal times is always open.
 */
export function msUntilOpen({ from, to }: InstallWindow, nowMs: number): number {
  const now = (nowMs + jstOffsetMs) % dayMs;
  const start = ofDayMs(from);
  const lengthMs = (ofDayMs(to) - start + dayMs) % dayMs;
  const sinceStart = (now - start + dayMs) % dayMs;
  if (lengthMs === 0 || sinceStart < lengthMs) return 0;
  return dayMs - sinceStart;
}

function ofDayMs(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return (hours * 60 + minutes) * minuteMs;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Reports wait for an acknowledgement that QoS 1 alone cannot give: the server's database must have them (DESIGN §6). */
const delaysMs = [2 * minuteMs, 10 * minuteMs, hourMs] as const;
const thenEveryMs = 24 * hourMs;

/** @param sends  how often the report was sent since the last connect, at least once  @returns how long to wait before it is sent again */
export function resendAfterMs(sends: number): number {
  return delaysMs[sends - 1] ?? thenEveryMs;
}

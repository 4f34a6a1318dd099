/**
 * The keep-alive interval is most of an idle month's traffic, so it is as long as the line allows: long by default, halved when a NAT box or
 * carrier is seen to forget idle connections, and tried longer again a week later.
 */

export const keepaliveBounds = { shortestS: 60, longestS: 1_800, defaultS: 1_680, halvedNotBelowS: 240 } as const;

/** A ping that has no answer after this time ends the connection; MQTT itself would wait for half the interval. */
export const pingAnswerMs = 30_000;
/** A reconnect within this time after a death shows that the line was up and only the idle connection was gone. */
export const linkUpWithinMs = 90_000;
const deathsBeforeHalving = 2;
const creepAfterMs = 7 * 24 * 60 * 60_000;
const creepFactor = 1.25;

export type Keepalive = {
  /** What the server's policy asks for, within the bounds. */
  readonly wantedS: number;
  /** What the next connection asks for. */
  readonly currentS: number;
  /** Keep-alive deaths in a row with the link up. */
  readonly deaths: number;
  /** When a ping last went unanswered; undefined once that death was judged. */
  readonly diedAtMs: number | undefined;
  /** Monotonic time of the last change, from which the week counts. */
  readonly changedAtMs: number;
};

export function initialKeepalive(wantedS: number, nowMs: number): Keepalive {
  const seconds = withinBounds(wantedS);
  return { wantedS: seconds, currentS: seconds, deaths: 0, diedAtMs: undefined, changedAtMs: nowMs };
}

/** The server's policy changed: a shorter wish counts at once, a longer one only where the line was not found too short. */
export function withPolicy(keepalive: Keepalive, wantedS: number, nowMs: number): Keepalive {
  const seconds = withinBounds(wantedS);
  if (seconds === keepalive.wantedS) return keepalive;
  const wasLimitedByLine = keepalive.currentS < keepalive.wantedS;
  const currentS = wasLimitedByLine ? Math.min(keepalive.currentS, seconds) : seconds;
  return { ...keepalive, wantedS: seconds, currentS, changedAtMs: nowMs };
}

export function afterPingUnanswered(keepalive: Keepalive, nowMs: number): Keepalive {
  return { ...keepalive, diedAtMs: nowMs };
}

/** An answered ping ends the row of deaths. */
export function afterPingAnswered(keepalive: Keepalive): Keepalive {
  return keepalive.deaths === 0 && keepalive.diedAtMs === undefined ? keepalive : { ...keepalive, deaths: 0, diedAtMs: undefined };
}

/** Judges the last death, now that it is known how long the line was away. */
export function afterConnected(keepalive: Keepalive, nowMs: number): Keepalive {
  if (keepalive.diedAtMs === undefined) return keepalive;
  if (nowMs - keepalive.diedAtMs > linkUpWithinMs) return { ...keepalive, deaths: 0, diedAtMs: undefined };
  const deaths = keepalive.deaths + 1;
  if (deaths < deathsBeforeHalving) return { ...keepalive, deaths, diedAtMs: undefined };
  const floorS = Math.min(keepaliveBounds.halvedNotBelowS, keepalive.currentS);
  return {
    ...keepalive,
    currentS: Math.max(floorS, Math.floor(keepalive.currentS / 2)),
    deaths: 0,
    diedAtMs: undefined,
    changedAtMs: nowMs,
  };
}

/** One step back toward the wanted interval after a week without a death. */
export function creepBack(keepalive: Keepalive, nowMs: number): Keepalive {
  if (keepalive.currentS >= keepalive.wantedS || nowMs - keepalive.changedAtMs < creepAfterMs) return keepalive;
  return { ...keepalive, currentS: Math.min(keepalive.wantedS, Math.ceil(keepalive.currentS * creepFactor)), changedAtMs: nowMs };
}

function withinBounds(seconds: number): number {
  return Math.min(keepaliveBounds.longestS, Math.max(keepaliveBounds.shortestS, Math.floor(seconds)));
}

/** Counts what callers do against a rate, in memory of a fixed size. */
import type { Clock } from '../ports.ts';
import { decideRate, type EmptyAtMs, type Rate, type RateDecision } from '../rules/rate.ts';

export type Throttle = {
  /** Counts one more, unless it is refused. */
  take(key: string): RateDecision;
  /** What `take` would say. */
  look(key: string): RateDecision;
};

const mostKeys = 10_000;
/** Everybody who comes while the memory is full: refused too early rather than let through uncounted. */
const everybodyElse = '*';
const sweepEveryMs = 1_000;

export function makeThrottle({ clock, rate, most = mostKeys }: { clock: Clock; rate: Rate; most?: number }): Throttle {
  const emptyAt = new Map<string, number>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const placeOf = (key: string, nowMs: number): string => {
    if (emptyAt.has(key) || emptyAt.size < most) return key;
    if (nowMs - sweptAtMs >= sweepEveryMs) {
      sweptAtMs = nowMs;
      for (const [one, atMs] of emptyAt) if (atMs <= nowMs) emptyAt.delete(one);
    }
    return emptyAt.size < most ? key : everybodyElse;
  };
  const decide = (key: string): { place: string; decision: RateDecision } => {
    const nowMs = clock.nowMs();
    const place = placeOf(key, nowMs);
    const known: EmptyAtMs = emptyAt.get(place);
    return { place, decision: decideRate(known, rate, nowMs) };
  };
  return {
    take: (key) => {
      const { place, decision } = decide(key);
      if (decision.kind === 'allow') emptyAt.set(place, decision.emptyAtMs);
      return decision;
    },
    look: (key) => decide(key).decision,
  };
}

import type { Cancel, Clock } from '../../agent/ports.ts';

/** A clock that stands until a test moves it; timers run in order of their time, also those set while it moves. */
export type ManualClock = Clock & {
  /** Lets pending promises settle after each timer. */
  advanceMs(ms: number): Promise<void>;
  setWallMs(ms: number): void;
  pending(): number;
};

export function aManualClock(wallMs = Date.parse('2026-11-22T00:00:00Z')): ManualClock {
  let monotonicMs = 1_000;
  let offsetMs = wallMs - monotonicMs;
  let last = 0;
  const timers = new Map<number, { atMs: number; run: () => void }>();

  const nextBefore = (untilMs: number) =>
    [...timers].filter(([, { atMs }]) => atMs <= untilMs).sort(([a, one], [b, other]) => one.atMs - other.atMs || a - b)[0];

  return {
    wallMs: () => monotonicMs + offsetMs,
    monotonicMs: () => monotonicMs,
    after(delayMs, run): Cancel {
      const id = ++last;
      timers.set(id, { atMs: monotonicMs + delayMs, run });
      return () => void timers.delete(id);
    },
    async advanceMs(ms) {
      const untilMs = monotonicMs + ms;
      for (let next = nextBefore(untilMs); next !== undefined; next = nextBefore(untilMs)) {
        const [id, { atMs, run }] = next;
        timers.delete(id);
        monotonicMs = atMs;
        run();
        await new Promise((resolve) => setImmediate(resolve));
      }
      monotonicMs = untilMs;
    },
    setWallMs(ms) {
      offsetMs = ms - monotonicMs;
    },
    pending: () => timers.size,
  };
}

import type { Clock } from '../ports.ts';

const longestTimerMs = 2 ** 31 - 1; // setTimeout fires at once beyond this

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, Math.min(ms, longestTimerMs));
    return () => clearTimeout(timer);
  },
};

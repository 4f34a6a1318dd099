import type { Clock } from '../ports.ts';

/** setTimeout holds 31 bits of milliseconds; a longer wait (a lease ends in 37 days) is cut into pieces. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    let timer: NodeJS.Timeout;
    const wait = (restMs: number): void => {
      timer = setTimeout(() => (restMs > longestTimerMs ? wait(restMs - longestTimerMs) : run()), Math.min(restMs, longestTimerMs));
    };
    wait(Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};

import type { AppProcess, Cancel, Clock } from '../ports.ts';
import { isThrashing, lookEveryMs, looksOfThrashing, type MemorySample } from '../rules/thrashing.ts';

/** Looks at software that runs, until it ends. `onThrashing` is called once: it does nothing any more but reading again what its limit threw out. */
export type WatchMemory = (process: Pick<AppProcess, 'memoryPressure' | 'exited'>, onThrashing: () => void) => void;

export function makeWatchMemory({ clock }: { clock: Clock }): WatchMemory {
  return (process, onThrashing) => {
    let before = sampleOf(process);
    let inARow = 0;
    let cancel: Cancel = () => {};

    function look(): void {
      const now = sampleOf(process);
      if (before === undefined || now === undefined) return;
      inARow = isThrashing(before, now) ? inARow + 1 : 0;
      before = now;
      if (inARow >= looksOfThrashing) onThrashing();
      else cancel = clock.after(lookEveryMs, look);
    }

    cancel = clock.after(lookEveryMs, look);
    const end = () => cancel();
    process.exited.then(end, end);
  };

  function sampleOf(process: Pick<AppProcess, 'memoryPressure'>): MemorySample | undefined {
    const pressure = process.memoryPressure();
    return pressure && { ...pressure, atMs: clock.monotonicMs() };
  }
}

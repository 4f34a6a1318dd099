/** E601 in its kinds: killed at the limit, ended by its own heap, or busy at the limit with nothing else. Always with the limit and the highest use. */
import type { Fault } from './agent-state.ts';

type Ended = { outOfMemory: false | 'kill' | 'heap'; memoryPeakBytes: number };

export function faultOfExit({ outOfMemory, memoryPeakBytes }: Ended, limitBytes: number): Fault | undefined {
  return outOfMemory === false ? undefined : exceeded(outOfMemory, limitBytes, memoryPeakBytes);
}

/** Software that did not get ready in time. */
export function faultOfTimeout(
  { isThrashing }: { isThrashing: boolean },
  { timeoutS, limitBytes, peakBytes }: { timeoutS: number; limitBytes: number; peakBytes: number },
): Fault {
  return isThrashing ? exceeded('thrash-start', limitBytes, peakBytes) : { code: 'START_TIMEOUT', detail: { timeoutS } };
}

export function faultOfThrashing(limitBytes: number, peakBytes: number): Fault {
  return exceeded('thrash', limitBytes, peakBytes);
}

function exceeded(kind: 'kill' | 'heap' | 'thrash' | 'thrash-start', limit: number, actual: number): Fault {
  return { code: 'APP_MEMORY_EXCEEDED', detail: { kind, limit, actual } };
}

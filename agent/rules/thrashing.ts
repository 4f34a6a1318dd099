/**
 * Software at its memory limit that the kernel does not kill: it throws pages out and reads them again, for ever. A cold copy of the node binary
 * under 24 MiB did 400,000 pages a second and never got ready; a healthy start does so for a moment at most.
 */
import type { MemoryFacts } from './cgroup-files.ts';

export type MemorySample = Pick<MemoryFacts, 'limitHits' | 'refaults'> & { readonly atMs: number };

/** 4 MB a second read again, or as often at the limit where the kernel counts no more than that. */
const perSecond = 1_000;

export function isThrashing(before: MemorySample, now: MemorySample): boolean {
  const seconds = (now.atMs - before.atMs) / 1_000;
  if (seconds <= 0) return false;
  const again =
    before.refaults === undefined || now.refaults === undefined ? now.limitHits - before.limitHits : now.refaults - before.refaults;
  return again / seconds >= perSecond;
}

/** Before a start is given up it is looked at for so long: what happened earlier may have been a moment. */
export const lastLookMs = 3_000;

/** So many looks in a row have to show it before software that runs is held to do nothing else. */
export const looksOfThrashing = 3;
export const lookEveryMs = 60_000;

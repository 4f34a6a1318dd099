import { expect, test } from 'vitest';
import { faultOfExit, faultOfThrashing, faultOfTimeout } from '../../../agent/rules/memory-fault.ts';
import { isThrashing } from '../../../agent/rules/thrashing.ts';
import { describe as inWords } from '../../../protocol/errors.ts';

const at = (seconds: number, refaults: number | undefined, limitHits = 0) => ({ atMs: seconds * 1_000, refaults, limitHits });

test('pages that are read again and again are thrashing; a moment of it in a long time is not', () => {
  expect(isThrashing(at(0, 0), at(3, 1_200_000))).toBe(true);
  expect(isThrashing(at(0, 0), at(60, 30_000))).toBe(false);
});

test('a page cache that fills the limit harms nobody, however often it hits it', () => {
  expect(isThrashing(at(0, 5, 0), at(60, 5, 10_000_000))).toBe(false);
});

test('where the kernel does not count what is read again, hits of the limit are what there is', () => {
  expect(isThrashing(at(0, undefined, 0), at(3, undefined, 3_000))).toBe(true);
  expect(isThrashing(at(0, undefined, 0), at(3, undefined, 100))).toBe(false);
});

test('no time between two looks says nothing', () => {
  expect(isThrashing(at(1, 0), at(1, 1_000_000))).toBe(false);
});

test('E601 says which way the limit was met, the limit, and the highest use', () => {
  const [limit, peak] = [67_108_864, 67_000_000];
  const faults = [
    faultOfExit({ outOfMemory: 'kill', memoryPeakBytes: peak }, limit),
    faultOfExit({ outOfMemory: 'heap', memoryPeakBytes: peak }, limit),
    faultOfThrashing(limit, peak),
    faultOfTimeout({ isThrashing: true }, { timeoutS: 30, limitBytes: limit, peakBytes: peak }),
  ];
  expect(faults).toEqual(
    ['kill', 'heap', 'thrash', 'thrash-start'].map((kind) => ({ code: 'APP_MEMORY_EXCEEDED', detail: { kind, limit, actual: peak } })),
  );
  const sentences = faults.map((fault) => fault && inWords(fault.code, fault.detail).ja);
  for (const sentence of sentences) expect(sentence).toMatch(/67,108,864.*67,000,000/);
  expect(new Set(sentences).size).toBe(3); // by the kernel or by itself: to people it is one
});

test('an end or a silence for another reason is none', () => {
  expect(faultOfExit({ outOfMemory: false, memoryPeakBytes: 1 }, 2)).toBeUndefined();
  expect(faultOfTimeout({ isThrashing: false }, { timeoutS: 30, limitBytes: 2, peakBytes: 1 }).code).toBe('START_TIMEOUT');
});

import { expect, test } from 'vitest';
import { makeDayTick } from '../../../server/flows/day-tick.ts';
import type { Evaluation } from '../../../server/flows/evaluate-days.ts';

/** Time that a test moves: one timer, as the tick has. */
function aTick(start: string, evaluate: () => Promise<Evaluation | 'busy'> = async () => 'busy', isHeld = () => false) {
  let nowMs = Date.parse(start);
  let timer: { atMs: number; run: () => void } | undefined;
  const looks: string[] = [];
  const lines: string[] = [];
  const log = (event: string) => void lines.push(event);
  const tick = makeDayTick({
    clock: {
      nowMs: () => nowMs,
      after: (ms, run) => {
        timer = { atMs: nowMs + ms, run };
        return () => {
          timer = undefined;
        };
      },
    },
    log: { info: log, warn: log, error: log },
    evaluateDays: async ({ through }) => {
      looks.push(`${new Date(nowMs).toISOString()} ${through ?? ''}`.trim());
      return evaluate();
    },
    finishEndedSoftware: async () => 0,
    isHeld: async () => isHeld(),
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    tick,
    looks,
    lines,
    isWaiting: () => timer !== undefined,
    /** To the next look. */
    next: async () => {
      await settle();
      if (timer === undefined) throw new Error('no timer');
      nowMs = timer.atMs;
      timer.run();
      await settle();
    },
  };
}

test('it looks at the start, every hour, and right after midnight in Japan; never at a day that has not ended', async () => {
  const { tick, looks, next } = aTick('2026-11-22T13:30:00Z');
  tick.start();
  await next();
  await next();
  await next();
  expect(looks).toEqual(['2026-11-22T13:30:00.000Z', '2026-11-22T14:30:00.000Z', '2026-11-22T15:00:01.000Z', '2026-11-22T16:00:01.000Z']);
});

test('a look that fails is logged, and the next one comes all the same', async () => {
  let isBroken = true;
  const { tick, looks, lines, next } = aTick('2026-11-22T00:00:00Z', async () => {
    if (isBroken) throw new Error('no database');
    return 'busy';
  });
  tick.start();
  await next();
  isBroken = false;
  await next();
  expect([looks.length, lines]).toEqual([3, ['contract.evaluation_failed', 'contract.evaluation_failed']]);
});

test('stopped, it waits for the look at work and sets no timer any more', async () => {
  let finish = () => {};
  const { tick, isWaiting } = aTick('2026-11-22T00:00:00Z', () => new Promise((resolve) => (finish = () => resolve('busy'))));
  tick.start();
  await new Promise((resolve) => setImmediate(resolve));
  const stopped = tick.stop();
  finish();
  await stopped;
  await new Promise((resolve) => setImmediate(resolve));
  expect(isWaiting()).toBe(false);
});

test('while publication is held after a restore it looks at nothing, and goes on once that is confirmed', async () => {
  let held = true;
  const { tick, looks, next } = aTick(
    '2026-11-22T00:00:00Z',
    async () => 'busy',
    () => held,
  );
  tick.start();
  await next();
  expect(looks).toEqual([]);
  held = false;
  await next();
  expect(looks).toHaveLength(1);
});

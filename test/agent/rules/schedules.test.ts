import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resendAfterMs } from '../../../agent/rules/resend.ts';
import { afterCrash, crashesOfALoop, noCrashes } from '../../../agent/rules/restart-policy.ts';
import { decideDownloadRetry } from '../../../agent/rules/retry-download.ts';
import { msUntilOpen } from '../../../agent/rules/window.ts';

const jst = (time: string) => Date.parse(`2026-11-22T${time}:00+09:00`);
const minutes = (count: number) => count * 60_000;

describe('a window (Japan time)', () => {
  test.each([
    ['02:00', '05:00', '02:00', 0],
    ['02:00', '05:00', '04:59', 0],
    ['02:00', '05:00', '05:00', minutes(21 * 60)],
    ['02:00', '05:00', '01:59', minutes(1)],
    ['23:00', '01:00', '23:30', 0],
    ['23:00', '01:00', '00:59', 0],
    ['23:00', '01:00', '01:00', minutes(22 * 60)],
    ['04:00', '04:00', '12:00', 0],
  ])('from %s to %s, at %s', (from, to, at, wait) => {
    expect(msUntilOpen({ from, to }, jst(at))).toBe(wait);
  });

  test('is open when its wait is over, whatever the window and the moment', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
    fc.assert(
      fc.property(time, time, fc.integer({ min: 0, max: 4e12 }), (from, to, nowMs) => {
        expect(msUntilOpen({ from, to }, nowMs + msUntilOpen({ from, to }, nowMs))).toBe(0);
      }),
    );
  });
});

test('a report is sent again after 2 minutes, 10 minutes, an hour, then daily', () => {
  expect([1, 2, 3, 4, 5, 99].map(resendAfterMs)).toEqual([
    minutes(2),
    minutes(10),
    minutes(60),
    minutes(1_440),
    minutes(1_440),
    minutes(1_440),
  ]);
});

describe('after a crash', () => {
  const crashes = (count: number) => {
    const delays: number[] = [];
    let history = noCrashes;
    for (let index = 0; index < count; index++) {
      const next = afterCrash(history, 0, 1_000);
      history = next.history;
      delays.push(next.delayMs / 1_000);
    }
    return delays;
  };

  test('the pause doubles from a second up to five minutes', () => {
    expect(crashes(11)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  test('the fifth in a row is a crash loop, once', () => {
    let history = noCrashes;
    const loops = Array.from({ length: 8 }, () => {
      const next = afterCrash(history, 0, 1_000);
      history = next.history;
      return next.becameLoop;
    });
    expect(loops.indexOf(true)).toBe(crashesOfALoop - 1);
    expect(loops.filter(Boolean)).toHaveLength(1);
  });

  test('of software that had run for ten minutes the row begins anew', () => {
    expect(afterCrash({ inARow: 7, lastEndMs: 0 }, 0, minutes(10))).toMatchObject({ delayMs: 1_000, becameLoop: false });
  });
});

describe('after a download that did not succeed', () => {
  const about = { tries: 1, wrongDigests: 0, nowMs: 0, deadlineMs: minutes(600), fraction: 1 };

  test('it is tried again while there is time, at growing distances up to an hour', () => {
    const waits = [1, 2, 3, 10, 50].map((tries) => decideDownloadRetry('SERVER_UNREACHABLE', { ...about, tries }));
    expect(waits).toEqual([1, 2, 4, 60, 60].map((count) => ({ kind: 'retry', afterMs: minutes(count) })));
  });

  test('it has failed when the next try would come after the deadline', () => {
    expect(decideDownloadRetry('SERVER_UNREACHABLE', { ...about, nowMs: minutes(599) })).toEqual({ kind: 'failed' });
    expect(decideDownloadRetry('SERVER_UNREACHABLE', { ...about, nowMs: minutes(700) })).toEqual({ kind: 'failed' });
  });

  test('a wrong digest is given a second chance, not a third', () => {
    expect(decideDownloadRetry('PKG_DIGEST_MISMATCH', { ...about, wrongDigests: 1 })).toEqual({ kind: 'retry', afterMs: 0 });
    expect(decideDownloadRetry('PKG_DIGEST_MISMATCH', { ...about, wrongDigests: 2 })).toEqual({ kind: 'failed' });
  });

  test('a refusal of the server ends it', () => {
    expect(decideDownloadRetry('DOWNLOAD_REFUSED', about)).toEqual({ kind: 'refused' });
  });

  test('a fleet is spread over half of the wait', () => {
    expect(decideDownloadRetry('SERVER_UNREACHABLE', { ...about, fraction: 0 })).toEqual({ kind: 'retry', afterMs: minutes(0.5) });
  });
});

import { expect, test } from 'vitest';
import {
  advance,
  forgetNotices,
  judgeWall,
  provenMs,
  raiseByNotice,
  raiseByRoot,
  startFloor,
  trustedMs,
} from '../../../agent/rules/clock.ts';

const built = Date.parse('2026-11-22T00:00:00Z');
const dayMs = 86_400_000;
const floor = startFloor(undefined, built);

test('a gateway that boots in 1970 has at least the time at which its agent was built', () => {
  expect(trustedMs(floor, 0)).toBe(built);
});

test('a signed time raises the floor, and running time goes on from there', () => {
  const raised = advance(raiseByNotice(raiseByRoot(floor, built + dayMs), built + 2 * dayMs), 5_000);
  expect(provenMs(raised)).toBe(built + 2 * dayMs + 5_000);
});

test('an older signed time does not lower it', () => {
  expect(provenMs(raiseByNotice(raiseByNotice(floor, built + dayMs), built))).toBe(built + dayMs);
});

test('the wall clock is believed above the floor, and never raises it', () => {
  const year2099 = Date.parse('2099-01-01T00:00:00Z');
  expect(trustedMs(floor, year2099)).toBe(year2099);
  expect(provenMs(floor)).toBe(built);
});

test('what was learned from notices can be forgotten without what roots have said', () => {
  const raised = raiseByNotice(raiseByRoot(floor, built + dayMs), built + 1_000 * dayMs);
  expect(provenMs(forgetNotices(raised))).toBe(built + dayMs);
  expect(provenMs(advance(forgetNotices(raised), 1_000))).toBe(built + dayMs + 1_000);
});

test('a saved floor from before the build is raised to it', () => {
  expect(provenMs(startFloor({ rootMs: 5, noticeMs: 0 }, built))).toBe(built);
});

test.each([
  [-2 * dayMs, 'behind'],
  [-3_600_000, 'right'],
  [30 * dayMs, 'right'],
  [401 * dayMs, 'far-ahead'],
] as const)('a wall clock %i ms from signed time is %s', (offMs, judged) => {
  expect(judgeWall(floor, built + offMs)).toBe(judged);
});

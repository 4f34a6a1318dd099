import { expect, test } from 'vitest';
import { isUseWorthWriting, overlapMinutes, replacedEndsMs, tokenDays, tokenEndsMs } from '../../../server/rules/token-life.ts';

const now = Date.UTC(2026, 10, 22);
const minuteMs = 60_000;
const dayMs = 86_400_000;

test('every token ends: after 90 days unless said, after a year at most', () => {
  expect(tokenEndsMs(now)).toBe(now + 90 * dayMs);
  expect(tokenEndsMs(now, 7)).toBe(now + 7 * dayMs);
  expect(tokenDays.most).toBe(365);
});

test('a token that was replaced is good for ten minutes more, and never longer than it would have been', () => {
  expect(replacedEndsMs(now, now + dayMs)).toBe(now + 10 * minuteMs);
  expect(replacedEndsMs(now, now + dayMs, overlapMinutes.most)).toBe(now + dayMs);
  expect(replacedEndsMs(now, now + minuteMs)).toBe(now + minuteMs);
  expect(replacedEndsMs(now, now + dayMs, 0)).toBe(now);
});

test('its last use is written the first time and then once an hour', () => {
  expect(isUseWorthWriting(undefined, now)).toBe(true);
  expect(isUseWorthWriting(now - 3_599_999, now)).toBe(false);
  expect(isUseWorthWriting(now - 3_600_000, now)).toBe(true);
});

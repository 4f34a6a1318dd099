import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressKey, decideRate, type EmptyAtMs, type Rate } from '../../../server/rules/rate.ts';

const rate: Rate = { perMinute: 60, burst: 10 };

/** How many of these moments' requests go through. */
function allowed(moments: readonly number[], of: Rate = rate): number {
  let emptyAt: EmptyAtMs;
  let count = 0;
  for (const nowMs of moments) {
    const decision = decideRate(emptyAt, of, nowMs);
    if (decision.kind === 'refuse') continue;
    emptyAt = decision.emptyAtMs;
    count += 1;
  }
  return count;
}

describe('how often somebody may ask', () => {
  test('a burst goes through at once, the next one waits for its turn', () => {
    let emptyAt: EmptyAtMs;
    for (let index = 0; index < 10; index += 1) {
      const decision = decideRate(emptyAt, rate, 5_000);
      expect(decision.kind).toBe('allow');
      if (decision.kind === 'allow') emptyAt = decision.emptyAtMs;
    }
    expect(decideRate(emptyAt, rate, 5_000)).toEqual({ kind: 'refuse', waitMs: 1_000 });
    expect(decideRate(emptyAt, rate, 5_999)).toEqual({ kind: 'refuse', waitMs: 1 });
    expect(decideRate(emptyAt, rate, 6_000).kind).toBe('allow');
  });

  test('whoever waits as long as told is let through', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 120_000 }), { maxLength: 60 }), (gaps) => {
        let nowMs = 0;
        let emptyAt: EmptyAtMs;
        for (const gap of gaps) {
          nowMs += gap;
          const decision = decideRate(emptyAt, rate, nowMs);
          const later = decision.kind === 'refuse' ? decideRate(emptyAt, rate, nowMs + decision.waitMs) : decision;
          if (later.kind !== 'allow') return false;
          if (decision.kind === 'allow') emptyAt = decision.emptyAtMs;
        }
        return true;
      }),
    );
  });

  test('in no minute more than the burst and a minute’s worth, wherever the minute begins', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 60_000 }), { maxLength: 300 }), (moments) => {
        return allowed(moments.sort((one, other) => one - other)) <= rate.burst + rate.perMinute;
      }),
    );
  });

  test('a clock that is set back shuts nobody out', () => {
    const far = decideRate(undefined, rate, 10 * 365 * 86_400_000);
    expect(far.kind === 'allow' && decideRate(far.emptyAtMs, rate, 0).kind).toBe('allow');
  });
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2:ffff::1', '2001:db8:1:2'],
  ['2001:0DB8:0001:0002::', '2001:db8:1:2'],
  ['2001:db8::1', '2001:db8:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['::1', '0:0:0:0'],
  ['', ''],
])('%s counts as %s', (address, key) => {
  expect(addressKey(address)).toBe(key);
});

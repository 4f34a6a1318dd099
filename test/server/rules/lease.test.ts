import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findStop } from '../../../agent/rules/may-run.ts';
import { gatewayId, toUtcTime } from '../../../protocol/fields.ts';
import { planLimitBytes } from '../../../protocol/pricing.ts';
import {
  entitledUntilMs,
  type GraceCase,
  graceUntilAt,
  leaseMs,
  leaseStateAt,
  purgedFromMs,
  refreshMs,
} from '../../../server/rules/lease.ts';
import { nextRefreshMs } from '../../../server/rules/notice-schedule.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const dataGraceDays = 30;

describe('a lease by its dates (D-19)', () => {
  const issuedMs = nowMs;
  const at = (days: number, ms = 0) => leaseStateAt(entitledUntilMs(issuedMs), dataGraceDays, issuedMs + days * dayMs + ms).kind;
  test.each([
    ['the day it is issued', at(0), 'running'],
    ['a month later', at(30), 'running'],
    ['one moment before its 37 days are over', at(37, -1), 'running'],
    ['with its 37 days', at(37), 'stopped'],
    ['one moment before the data go', at(67, -1), 'stopped'],
    ['30 days after the stop', at(67), 'purged'],
  ])('%s it is as it should be', (_, found, expected) => expect(found).toBe(expected));

  test('what never stood in a notice has no lease', () => {
    expect(leaseStateAt(undefined, dataGraceDays, nowMs)).toEqual({ kind: 'never' });
  });

  test('an outage of up to 30 days stops nothing, whenever it begins, whichever gateway', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9_999 }).map((number) => gatewayId.parse(`gw-${number}`)),
        fc.integer({ min: 0, max: 400 * dayMs }),
        fc.integer({ min: 0, max: 30 * dayMs }),
        (gateway, beginsAfterMs, lastsMs) => {
          const outageMs = nowMs + beginsAfterMs;
          // The last renewal that reached it: its weekly moment at, or right before, the outage.
          const heardMs = nextRefreshMs(gateway, outageMs) - refreshMs;
          expect(leaseStateAt(entitledUntilMs(heardMs), dataGraceDays, outageMs + lastsMs - 1).kind).toBe('running');
        },
      ),
    );
  });

  test('a cancelled gateway that nobody reaches has stopped within 37 days and is empty within 67', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: leaseMs }), (heardBeforeMs) => {
        const cancelledMs = nowMs;
        const until = entitledUntilMs(cancelledMs - heardBeforeMs);
        expect(leaseStateAt(until, dataGraceDays, cancelledMs + 37 * dayMs).kind).not.toBe('running');
        expect(leaseStateAt(until, dataGraceDays, cancelledMs + 67 * dayMs).kind).toBe('purged');
      }),
    );
  });

  test('time only ever takes away: running, then stopped, then purged', () => {
    const order = ['running', 'stopped', 'purged'];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 365 }), fc.array(fc.nat(120 * dayMs), { minLength: 2, maxLength: 6 }), (graceDays, times) => {
        const ranks = [...times]
          .sort((one, other) => one - other)
          .map((ms) => order.indexOf(leaseStateAt(entitledUntilMs(nowMs), graceDays, nowMs + ms).kind));
        expect(ranks).toEqual([...ranks].sort());
        expect(purgedFromMs(entitledUntilMs(nowMs), graceDays) - entitledUntilMs(nowMs)).toBe(graceDays * dayMs);
      }),
    );
  });
});

describe('software that has outgrown its plan', () => {
  const plan1 = planLimitBytes(1);
  const plan2 = planLimitBytes(2);
  const it = (changes: Partial<GraceCase>): GraceCase => ({
    runningBytes: 2_000_000,
    planLimitBytes: plan2,
    graceUntilMs: undefined,
    ...changes,
  });

  test.each<[string, GraceCase, number | undefined]>([
    ['is covered by the same plan', it({}), undefined],
    ['runs 30 days more under a lower one', it({ planLimitBytes: plan1 }), 30],
    ['at the very limit is not below it (未満)', it({ runningBytes: plan1, planLimitBytes: plan1 }), 30],
    ['one byte below needs no grace', it({ runningBytes: plan1 - 1, planLimitBytes: plan1 }), undefined],
    ['that nothing runs needs none', it({ runningBytes: undefined, planLimitBytes: plan1 }), undefined],
    ['keeps the grace that it has, however often the plan is lowered', it({ planLimitBytes: plan1, graceUntilMs: nowMs + 3 * dayMs }), 3],
    ['loses it once the plan covers it again', it({ graceUntilMs: nowMs + 3 * dayMs }), undefined],
    ['gets no second grace once the first is over', it({ planLimitBytes: plan1, graceUntilMs: nowMs - dayMs }), -1],
  ])('%s', (_, given, days) => {
    const until = graceUntilAt(given, nowMs);
    expect(until === undefined ? undefined : (until - nowMs) / dayMs).toBe(days);
  });

  test('settled twice, or after any time, the answer stays', () => {
    fc.assert(
      fc.property(fc.nat(8_000_000), fc.integer({ min: 1, max: 5 }), fc.nat(90 * dayMs), (runningBytes, plan, laterMs) => {
        const first = graceUntilAt(it({ runningBytes, planLimitBytes: planLimitBytes(plan) }), nowMs);
        const again = graceUntilAt(it({ runningBytes, planLimitBytes: planLimitBytes(plan), graceUntilMs: first }), nowMs + laterMs);
        expect(again).toBe(first);
      }),
    );
  });

  test('the agent runs it until that moment and not a moment longer, and reads the limit as we do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8_000_000 }), fc.integer({ min: 1, max: 5 }), (installedBytes, plan) => {
        const limit = planLimitBytes(plan);
        const untilMs = graceUntilAt(it({ runningBytes: installedBytes, planLimitBytes: limit }), nowMs);
        const stopAt = (ms: number) =>
          findStop(
            {
              committed: { manifest: { payload: { installedBytes } }, signer: {} },
              terms: {
                entitledUntil: toUtcTime(nowMs + 90 * dayMs),
                limits: { installedBytes: limit },
                graceUntil: untilMs === undefined ? null : toUtcTime(untilMs),
              },
            } as unknown as Parameters<typeof findStop>[0],
            { notice: null, revoked: [], nowMs: ms },
          )?.code;
        expect(stopAt(nowMs + 30 * dayMs - 1)).toBeUndefined();
        expect(stopAt(nowMs + 30 * dayMs)).toBe(installedBytes >= limit ? 'SIZE_OVER_LIMIT' : undefined);
      }),
    );
  });
});

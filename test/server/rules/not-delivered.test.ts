import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describe as describeError } from '../../../protocol/errors.ts';
import { leaseMs } from '../../../server/rules/lease.ts';
import {
  ageOf,
  ages,
  type DeliveryFacts,
  findMissing,
  type GatewayFacts,
  missingRules,
  withoutContract,
} from '../../../server/rules/not-delivered.ts';
import { type SoftwareState, softwareMachine } from '../../../server/rules/software-states.ts';
import { type TargetState, targetMachine } from '../../../server/rules/targets.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const gateway: GatewayFacts = { gateway: 'hgw-0001', isEnrolled: true, isBlocked: false, isOnline: true, lastSeenMs: nowMs - 60_000 };
const running: DeliveryFacts = {
  state: 'ACTIVE',
  codes: [],
  detail: {},
  software: 'PUBLISHED',
  wanted: { version: '1.0.0', state: 'ADMITTED' },
  committedVersion: '1.0.0',
  deadlineMs: undefined,
  graceUntilMs: undefined,
  planOver: undefined,
  gateway,
};
const waiting: DeliveryFacts = { ...running, state: 'DELIVERING', committedVersion: undefined, deadlineMs: nowMs + dayMs };
const offline = (days: number): GatewayFacts => ({ ...gateway, isOnline: false, lastSeenMs: nowMs - days * dayMs });

test('what runs as it was ordered stands in no list', () => expect(findMissing(running, nowMs)).toBeUndefined());

describe('the first thing that stands in the way, and who has to act', () => {
  const rows: [string, Partial<DeliveryFacts>, string, string, string][] = [
    ['a hold for the type change', { state: 'HOLD', codes: ['ELIG_TYPE_CHANGE'] }, 'contract', 'E106', 'customer'],
    [
      'the same on a collab line',
      { state: 'HOLD', codes: ['ELIG_TYPE_CHANGE'], detail: { access: 'COLLAB' } },
      'contract',
      'E106',
      'collabCarrier',
    ],
    ['a hold for equipment that nobody has looked at', { state: 'HOLD', codes: ['ELIG_OFFICE_UNKNOWN'] }, 'contract', 'E108', 'installer'],
    ['an order that the conditions refused', { state: 'REJECTED', codes: ['ELIG_LINE'] }, 'contract', 'E101', 'customer'],
    ['office equipment found later', { state: 'SUSPENDED', codes: ['ELIG_OFFICE_EQUIPMENT'] }, 'contract', 'E105', 'customer'],
    ['a review', { software: 'UNDER_REVIEW' }, 'software', 'E701', 'operator'],
    ['a halt', { wanted: { version: '1.0.0', state: 'HALTED' } }, 'release', 'E715', 'provider'],
    ['no gateway at the site', { gateway: undefined }, 'no-gateway', 'E113', 'operator'],
    ['a blocked gateway', { gateway: { ...gateway, isBlocked: true } }, 'blocked', 'E411', 'operator'],
    [
      'a gateway that nobody enrolled',
      { gateway: { ...gateway, isEnrolled: false, lastSeenMs: undefined } },
      'not-enrolled',
      'E907',
      'installer',
    ],
    ['a gateway that never came', { gateway: { ...gateway, isOnline: false, lastSeenMs: undefined } }, 'never-seen', 'E419', 'installer'],
    ['a gateway away for longer than any lease', { gateway: offline(37) }, 'lease-ended', 'E419', 'installer'],
    [
      'a deployment that failed',
      { state: 'FAILED', codes: ['STORE_NO_SPACE'], detail: { need: 10, free: 5 } },
      'failed',
      'E305',
      'operator',
    ],
    ['a deadline without a word', { deadlineMs: nowMs }, 'silent', 'E419', 'installer'],
  ];
  test.each(rows)('%s', (_, changes, because, number, who) => {
    expect(findMissing({ ...waiting, ...changes }, nowMs)).toMatchObject({ because, who, reason: { number } });
  });

  test('every rule has a case here', () => {
    const seen = new Set([...rows.map(([, , because]) => because), 'plan-grace-over', 'waiting']);
    expect([...seen].sort()).toEqual([...missingRules].sort());
  });

  test('within its time a delivery waits for nobody', () => {
    expect(findMissing(waiting, nowMs)).toEqual({ because: 'waiting', who: 'nobody', reason: null });
    expect(findMissing({ ...waiting, deadlineMs: undefined, state: 'READY' }, nowMs)?.because).toBe('waiting');
    expect(findMissing({ ...waiting, gateway: offline(36) }, nowMs)?.because).toBe('waiting');
  });

  test('an update that was taken back is missing though the version before runs', () => {
    const rolledBack = {
      ...running,
      state: 'ROLLED_BACK',
      wanted: { version: '2.0.0', state: 'ADMITTED' },
      codes: ['HEALTH_PROBE_FAILED'],
    } as const;
    expect(findMissing(rolledBack, nowMs)).toMatchObject({ because: 'failed' });
  });

  test('what runs is missing too once its gateway cannot have a lease any more, or its grace under a lower plan is over', () => {
    expect(findMissing({ ...running, gateway: offline(38) }, nowMs)).toMatchObject({ because: 'lease-ended' });
    const outgrown = { ...running, planOver: { limit: 1_500_000, actual: 2_000_000 } };
    expect(findMissing({ ...outgrown, graceUntilMs: nowMs + 1 }, nowMs)).toBeUndefined();
    expect(findMissing({ ...outgrown, graceUntilMs: nowMs }, nowMs)).toMatchObject({
      because: 'plan-grace-over',
      reason: { number: 'E304' },
    });
  });

  test('a running copy under review is missing nothing', () => {
    expect(findMissing({ ...running, software: 'UNDER_REVIEW' }, nowMs)).toBeUndefined();
  });
});

test('a provider reads E100 in place of the contract, and every other reason as it is', () => {
  const held = findMissing({ ...waiting, state: 'HOLD', codes: ['ELIG_TYPE_CHANGE'] }, nowMs);
  expect(held && withoutContract(held)).toMatchObject({ because: 'contract', reason: { number: 'E100' } });
  const failed = findMissing({ ...waiting, state: 'FAILED', codes: ['STORE_NO_SPACE'] }, nowMs);
  expect(failed && withoutContract(failed)).toEqual(failed);
});

describe('whatever stands in the database', () => {
  const facts: fc.Arbitrary<DeliveryFacts> = fc.record({
    state: fc.constantFrom(...(Object.keys(targetMachine) as TargetState[]).filter((one) => one !== 'TERMINATED')),
    codes: fc.array(fc.constantFrom('ELIG_TYPE_CHANGE', 'STORE_NO_SPACE', 'NO_SUCH_CODE'), { maxLength: 2 }),
    detail: fc.constant({}),
    software: fc.constantFrom(...(Object.keys(softwareMachine) as SoftwareState[])),
    wanted: fc.option(
      fc.record({ version: fc.constantFrom('1.0.0', '2.0.0'), state: fc.constantFrom('ADMITTED', 'HALTED', 'WITHDRAWN') }),
      { nil: undefined },
    ),
    committedVersion: fc.option(fc.constantFrom('1.0.0', '2.0.0'), { nil: undefined }),
    deadlineMs: fc.option(fc.integer({ min: nowMs - 9 * dayMs, max: nowMs + 9 * dayMs }), { nil: undefined }),
    graceUntilMs: fc.option(fc.integer({ min: nowMs - 9 * dayMs, max: nowMs + 9 * dayMs }), { nil: undefined }),
    planOver: fc.option(fc.constant({ limit: 1, actual: 2 }), { nil: undefined }),
    gateway: fc.option(
      fc.record({
        gateway: fc.constant('hgw-0001'),
        isEnrolled: fc.boolean(),
        isBlocked: fc.boolean(),
        isOnline: fc.boolean(),
        lastSeenMs: fc.option(fc.integer({ min: nowMs - 2 * leaseMs, max: nowMs }), { nil: undefined }),
      }),
      { nil: undefined },
    ),
  });

  test('something that is missing names its rule, who has to act, and a sentence in both languages', () => {
    fc.assert(
      fc.property(facts, (it) => {
        const missing = findMissing(it, nowMs);
        if (missing === undefined) return;
        expect(missingRules).toContain(missing.because);
        if (missing.reason === null) expect([missing.because, missing.who]).toEqual(['waiting', 'nobody']);
        else expect([missing.reason.ja, missing.reason.en].every((text) => text.length > 5 && !text.includes('{'))).toBe(true);
      }),
    );
  });

  test('what is not delivered is never left out', () => {
    fc.assert(
      fc.property(facts, (it) => {
        if (it.wanted !== undefined && it.wanted.version !== it.committedVersion) expect(findMissing(it, nowMs)).toBeDefined();
      }),
    );
  });
});

test('ages: up to a day, a week, a month, longer', () => {
  expect([0.5, 1, 6.9, 7, 29.9, 30, 400].map((days) => ageOf(nowMs - days * dayMs, nowMs))).toEqual([
    'day',
    'week',
    'week',
    'month',
    'month',
    'longer',
    'longer',
  ]);
  expect(ages.at(-1)?.days).toBe(Number.POSITIVE_INFINITY);
});

test('the sentence of a silent gateway names the deadline and when it was last heard', () => {
  const silent = findMissing({ ...waiting, deadlineMs: nowMs, gateway: offline(3) }, nowMs);
  expect(silent?.reason?.ja).toBe(
    describeError('GATEWAY_SILENT', { deadline: '2026-11-22T12:00:00Z', lastSeenAt: '2026-11-19T12:00:00Z' }).ja,
  );
});

import { describe, expect, test } from 'vitest';
import { digest, gatewayId, providerId, randomId, softwareId, version } from '../../../protocol/fields.ts';
import { toCompactJson } from '../../../protocol/json.ts';
import { limits } from '../../../protocol/limits.ts';
import { parseNotice } from '../../../protocol/statements/notice.ts';
import { decideOnBirth } from '../../../server/rules/birth.ts';
import { refreshMs } from '../../../server/rules/lease.ts';
import {
  decideListing,
  isSameWish,
  type NoticeFacts,
  type Offer,
  planNotice,
  type TargetFacts,
} from '../../../server/rules/notice-content.ts';
import { nextRefreshMs, nextVersion } from '../../../server/rules/notice-schedule.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');

function anOffer(number: string, changes: Partial<Offer> = {}): Offer {
  return {
    version: version.parse(number),
    isOffered: true,
    unitBytes: 1_000_000,
    package: { sha256: digest.parse('a'.repeat(64)), bytes: 800_000 },
    manifestSha256: digest.parse('b'.repeat(64)),
    installedBytes: 900_000,
    resources: { memoryBytes: 32_000_000, cpuPercent: 10, pids: 8, dataBytes: 100_000 },
    permissions: { lan: ['udp:3610'], wan: ['api.example.jp:443'], telemetry: true },
    ...changes,
  };
}

function aTarget(changes: Partial<TargetFacts> = {}): TargetFacts {
  return {
    target: randomId.parse('t'.repeat(26)),
    software: softwareId.parse('demo.ipv4'),
    provider: providerId.parse('demo'),
    state: 'READY',
    isSoftwareOpen: true,
    wanted: anOffer('2.0.0'),
    committed: undefined,
    attempt: 1,
    plan: 1,
    deadlineMs: undefined,
    graceUntilMs: undefined,
    rollback: undefined,
    ...changes,
  };
}

function facts(changes: Partial<NoticeFacts> = {}): NoticeFacts {
  return {
    gateway: gatewayId.parse('gw-0001'),
    model: 'PR-500KI',
    rootVersion: 3,
    policy: {
      keepaliveS: 1680,
      jitterS: 3600,
      probationS: 60,
      budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
      telemetryBytesPerMonth: 100_000,
      dataGraceDays: 30,
    },
    targets: [aTarget()],
    removed: [],
    requests: [],
    ...changes,
  };
}

const listed = (changes: Partial<TargetFacts>) => decideListing(aTarget(changes))?.version;
const running = anOffer('1.0.0');

describe('which version is listed', () => {
  test.each([
    ['a first delivery', {}, '2.0.0'],
    ['an update', { state: 'UPDATING', committed: running }, '2.0.0'],
    [
      'what runs already, whatever became of the release',
      { state: 'ACTIVE', committed: anOffer('2.0.0'), wanted: anOffer('2.0.0', { isOffered: false }) },
      '2.0.0',
    ],
    ['a failed first delivery: the gateway itself does not try it again', { state: 'FAILED' }, '2.0.0'],
    ['a halted first delivery', { wanted: anOffer('2.0.0', { isOffered: false }) }, undefined],
    ['a halted update', { state: 'UPDATING', committed: running, wanted: anOffer('2.0.0', { isOffered: false }) }, '1.0.0'],
    ['a first delivery during an ethics review', { isSoftwareOpen: false }, undefined],
    ['an update during an ethics review', { state: 'UPDATING', committed: running, isSoftwareOpen: false }, '1.0.0'],
    ['a suspended target with a running copy', { state: 'SUSPENDED', committed: running }, '1.0.0'],
    ['a suspended target without one', { state: 'SUSPENDED' }, undefined],
    ['no package for this model', { wanted: undefined }, undefined],
    ['on hold', { state: 'HOLD' }, undefined],
    ['ended', { state: 'TERMINATED', committed: running }, undefined],
  ] satisfies [string, Partial<TargetFacts>, string | undefined][])('%s', (_name, changes, expected) => {
    expect(listed(changes)).toBe(expected);
  });
});

describe('what a notice says', () => {
  const [target] = planNotice(facts(), 7, nowMs).targets;

  test('it is a notice that a gateway would accept', () => {
    const notice = planNotice(
      facts({
        removed: [
          {
            target: randomId.parse('r'.repeat(26)),
            software: softwareId.parse('old.app'),
            provider: providerId.parse('demo'),
            reason: 'household',
          },
        ],
        requests: [{ id: randomId.parse('q'.repeat(26)), kind: 'bundle', expiresMs: nowMs + dayMs, maxBytes: 1_000_000 }],
      }),
      7,
      nowMs,
    );
    expect(parseNotice(toCompactJson(notice))).toEqual(notice);
  });

  test('a full one stays within the size cap', () => {
    const many = Array.from({ length: limits.targetsPerNotice }, (_, index) =>
      aTarget({
        target: randomId.parse(`t${String(index).padStart(25, '0')}`),
        software: softwareId.parse(`software.number-${index}.${'x'.repeat(30)}`),
      }),
    );
    expect(parseNotice(toCompactJson(planNotice(facts({ targets: many }), 7, nowMs))).targets).toHaveLength(64);
  });

  test.each([
    ['PR-500KI', {}, { installedBytes: 1_500_000, dataBytes: 100_000, memoryBytes: 32_000_000, cpuPercent: 10, pids: 8, files: 512 }],
    [
      'PR-400KI',
      { resources: { memoryBytes: 1e9, cpuPercent: 100, pids: 256, dataBytes: 1e9 } },
      { installedBytes: 1_500_000, dataBytes: 4_194_304, memoryBytes: 67_108_864, cpuPercent: 25, pids: 32, files: 256 },
    ],
    [
      'PR-500KI',
      { unitBytes: 1_048_576 },
      { installedBytes: 1_572_864, dataBytes: 100_000, memoryBytes: 32_000_000, cpuPercent: 10, pids: 8, files: 512 },
    ],
    ['XX-999ZZ', {}, { installedBytes: 1_500_000, dataBytes: 100_000, memoryBytes: 32_000_000, cpuPercent: 10, pids: 8, files: 256 }],
  ])('limits on %s are the smallest of plan, model and manifest', (model, offer, expected) => {
    expect(planNotice(facts({ model, targets: [aTarget({ wanted: anOffer('2.0.0', offer) })] }), 7, nowMs).targets[0]?.limits).toEqual(
      expected,
    );
  });

  test('a plan above what the model takes is cut to the model', () => {
    const notice = planNotice(facts({ model: 'PR-400KI', targets: [aTarget({ plan: 5 })] }), 7, nowMs);
    expect(notice.targets[0]?.limits.installedBytes).toBe(6_000_000);
  });

  test('the lease is 37 days, the deadline 14 days once', () => {
    expect(target).toMatchObject({ entitledUntil: '2026-12-29T12:00:00Z', deadline: '2026-12-06T12:00:00Z' });
    const later = planNotice(facts({ targets: [aTarget({ deadlineMs: nowMs })] }), 8, nowMs + 7 * dayMs).targets[0];
    expect(later).toMatchObject({ entitledUntil: '2027-01-05T12:00:00Z', deadline: '2026-11-22T12:00:00Z' });
  });

  test('a rollback is said with the version it is for, not with the one that runs meanwhile', () => {
    const rollback = { from: version.parse('3.0.0'), order: randomId.parse('o'.repeat(26)), reason: 'x' };
    const said = (state: TargetFacts['state']) =>
      planNotice(facts({ targets: [aTarget({ state, rollback, committed: anOffer('3.0.0') })] }), 7, nowMs).targets[0];
    expect(said('UPDATING')).toMatchObject({ version: '2.0.0', rollback });
    expect(said('SUSPENDED')).toMatchObject({ version: '3.0.0' });
    expect(said('SUSPENDED')).not.toHaveProperty('rollback');
  });

  test('times alone are no new wish; anything else is', () => {
    const notice = planNotice(facts(), 7, nowMs);
    const again = planNotice(facts({ targets: [aTarget({ deadlineMs: nowMs + 14 * dayMs })] }), 8, nowMs + 3 * dayMs);
    expect(isSameWish(notice, again)).toBe(true);
    for (const changed of [
      { rootVersion: 4 },
      { targets: [] },
      { targets: [aTarget({ attempt: 2 })] },
      { policy: { ...facts().policy, keepaliveS: 900 } },
    ])
      expect(isSameWish(notice, planNotice(facts(changed), 8, nowMs))).toBe(false);
  });
});

describe('when a notice is due', () => {
  const names = Array.from({ length: 7_000 }, (_, index) => gatewayId.parse(`gw-${String(index).padStart(6, '0')}`));

  test('each gateway has one moment a week, always the same one', () => {
    for (const gateway of names.slice(0, 50)) {
      const first = nextRefreshMs(gateway, nowMs);
      expect(first).toBeGreaterThan(nowMs);
      expect(first - nowMs).toBeLessThanOrEqual(refreshMs);
      expect(nextRefreshMs(gateway, first)).toBe(first + refreshMs);
      expect(nextRefreshMs(gateway, first - 1)).toBe(first);
    }
  });

  test('a fleet is spread evenly: no day of the week has a third more than its share', () => {
    const dayOf = names.map((gateway) => Math.floor((nextRefreshMs(gateway, nowMs) - nowMs - 1) / dayMs));
    for (const day of [0, 1, 2, 3, 4, 5, 6]) expect(Math.abs(dayOf.filter((each) => each === day).length - 1_000)).toBeLessThan(333);
  });

  test('a version is above everything that we or the gateway have seen, and never behind the clock', () => {
    expect(nextVersion(5, 0, nowMs)).toBe(nowMs);
    expect(nextVersion(nowMs + 10, 0, nowMs)).toBe(nowMs + 11);
    expect(nextVersion(nowMs + 10, nowMs + 99, nowMs)).toBe(nowMs + 100);
  });
});

test.each([
  ['nothing applied, nothing there', null, undefined, { kind: 'publish-new', aheadVersion: 0 }],
  ['nothing applied', null, 9, { kind: 'send-again' }],
  ['the newest applied', { version: 9, sha256: 'n' }, 9, { kind: 'nothing' }],
  ['behind', { version: 8, sha256: 'o' }, 9, { kind: 'send-again' }],
  ['ahead', { version: 12, sha256: 'o' }, 9, { kind: 'publish-new', aheadVersion: 12 }],
  ['ahead of an empty table', { version: 12, sha256: 'o' }, undefined, { kind: 'publish-new', aheadVersion: 12 }],
  ['the same number, other bytes', { version: 9, sha256: 'o' }, 9, { kind: 'publish-new', aheadVersion: 9 }],
] as const)('a birth with %s', (_name, applied, newest, expected) => {
  expect(decideOnBirth(applied, newest === undefined ? undefined : { version: newest, sha256: 'n', expiresMs: nowMs + 1 }, nowMs)).toEqual(
    expected,
  );
});

test('an expired notice is not sent again: a new one is made', () => {
  expect(decideOnBirth(null, { version: 9, sha256: 'n', expiresMs: nowMs }, nowMs)).toEqual({ kind: 'publish-new', aheadVersion: 0 });
});

import { describe, expect, test } from 'vitest';
import type { Target } from '../../../protocol/statements/notice.ts';
import { contractRungs } from '../../../server/rules/contract-rungs.ts';
import { deliveryRungs } from '../../../server/rules/delivery-rungs.ts';
import { decideEligibility } from '../../../server/rules/eligibility.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { explainDelivery, hideContract } from '../../../server/rules/explain.ts';
import type { Snapshot } from '../../../server/rules/explain-snapshot.ts';
import { orderRungs } from '../../../server/rules/order-rungs.ts';
import { t1 } from '../../support/contract-facts.ts';
import { aTarget } from '../../support/mint.ts';

const dayMs = 86_400_000;
const nowMs = Date.parse('2026-11-22T12:00:00Z');
const ago = (days: number) => new Date(nowMs - days * dayMs);
const ahead = (days: number) => new Date(nowMs + days * dayMs);

type Facts = Snapshot['contract']['facts'];
const contractOf = (changes: Partial<Facts> = {}): Snapshot['contract'] => ({
  facts: { ...t1, ...changes },
  effectiveOn: '2026-11-01',
  recordedAt: ago(21),
  profile: 'seed',
  lines: ['NEXT_OTHER'],
  series: ['PR-400'],
  eligibility: decideEligibility({ ...t1, ...changes }, eligibilityCatalogues.seed, '2026-11-22'),
});
const target: NonNullable<Snapshot['target']> = {
  target: 't'.repeat(26),
  state: 'ACTIVE',
  since: ago(9),
  plan: 1,
  attempt: 1,
  committedVersion: '1.0.0',
  requestedAt: ago(10),
  readyAt: ago(10),
  enteredNoticeAt: ago(10),
  deadline: ahead(4),
  silentSince: null,
  entitledUntil: ahead(30),
  graceUntil: null,
  runningBytes: null,
  endedAt: null,
  removedReason: null,
  purgedAt: null,
};
const gateway: NonNullable<Snapshot['gateway']> = {
  gateway: 'hgw-0001',
  model: 'PR-400KI',
  isEnrolled: true,
  isBlocked: false,
  online: true,
  lastSeenAt: ago(0.01),
  agent: '1.0.0',
  appliedVersion: 5,
};
const notice: NonNullable<Snapshot['notice']> = {
  version: 5,
  issuedAt: ago(7),
  expiresAt: ahead(14),
  listed: aTarget('heater') as Target,
  removed: undefined,
  noticedVersion: 5,
};
const release: NonNullable<Snapshot['release']> = {
  version: '1.0.0',
  state: 'ADMITTED',
  admittedAt: ago(20),
  haltedAt: null,
  haltReason: null,
  installedBytes: 300_000,
  plan: 1,
  planLimit: 1_500_000,
};
const report: NonNullable<Snapshot['report']> = {
  kind: 'end',
  state: 'committed',
  version: '1.0.0',
  code: null,
  detail: {},
  saidAt: ago(9),
  receivedAt: ago(9),
};
const software: NonNullable<Snapshot['software']> = { state: 'PUBLISHED', since: ago(20), review: undefined, mayKnowReview: true };
const running: Snapshot = {
  nowMs,
  isHeld: false,
  contract: contractOf(),
  application: undefined,
  consent: { isRequired: true, scopes: ['delivery'], givenAt: ago(11), withdrawnAt: null },
  software,
  release,
  misfit: undefined,
  model: { model: 'PR-400KI', limit: 6_000_000 },
  target,
  gateway,
  notice,
  report,
};
/** Ordered ten days ago, listed, nothing said yet. */
const waits: Snapshot = { ...running, target: { ...target, state: 'DELIVERING', committedVersion: null }, report: undefined };
const rungOf = (it: Snapshot, id: string) => explainDelivery(it).rungs.find((rung) => rung.id === id);

test('a running software has every rung, each with what it was judged by, and nothing is missing', () => {
  const { rungs, firstMissing } = explainDelivery(running);
  expect(firstMissing).toBeNull();
  expect(rungs.map(({ status }) => status).every((status) => status === 'yes')).toBe(true);
  for (const { id, question, inputs } of rungs) {
    expect(question.ja).toMatch(/[ぁ-んァ-ン]/);
    expect([id, Object.keys(inputs).length > 0]).toEqual([id, true]);
  }
});

test('the ladder goes from the contract to the disk, in the order in which things have to hold', () => {
  expect(explainDelivery(running).rungs.map(({ id }) => id)).toEqual([
    'contract',
    'line',
    'home-gateway',
    'model',
    'phone-or-rental',
    'office-equipment',
    'type-change',
    'software',
    'application',
    'consent',
    'release',
    'fits',
    'ordered',
    'gateway',
    'contact',
    'listed',
    'notice',
    'reported',
    'running',
    'entitled',
  ]);
});

describe('the first step that is missing is', () => {
  const rows: [id: string, changes: Partial<Snapshot>, number: string][] = [
    ['contract', { contract: contractOf({ lineCancelled: true, denwa: 'NONE' }) }, 'E107'],
    ['line', { contract: contractOf({ line: 'CROSS', hgwModel: 'XG-100NE' }) }, 'E101'],
    ['home-gateway', { contract: contractOf({ hgwModel: null }) }, 'E102'],
    ['model', { contract: contractOf({ hgwModel: 'PR-S300' }) }, 'E103'],
    ['phone-or-rental', { contract: contractOf({ denwa: 'NONE' }) }, 'E104'],
    ['office-equipment', { contract: contractOf({ line: 'NEXT_GIGA_LINE', denwa: 'OFFICE_A', officeEq: 'unknown' }) }, 'E108'],
    ['type-change', { contract: contractOf({ bflets: true }) }, 'E106'],
    ['software', { software: undefined }, 'E953'],
    ['software', { software: { ...software, state: 'UNDER_REVIEW' }, target: undefined }, 'E701'],
    ['software', { software: { ...software, state: 'PROHIBITED' } }, 'E702'],
    ['software', { software: { ...software, state: 'REGISTERED' } }, 'E718'],
    ['application', { application: { application: 'a'.repeat(26), state: 'LINE_READY', since: ago(1) }, target: undefined }, 'E727'],
    ['consent', { consent: { ...running.consent, scopes: [] }, target: undefined }, 'E710'],
    ['release', { release: { ...release, state: 'HALTED', haltedAt: ago(1) }, target: { ...target, committedVersion: null } }, 'E715'],
    [
      'release',
      { release: undefined, misfit: { code: 'STATE_FORBIDS', detail: { state: 'DRAFT', action: 'order' } }, target: undefined },
      'E718',
    ],
    ['fits', { misfit: { code: 'SIZE_OVER_LIMIT', detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 } } }, 'E304'],
    ['fits', { release: undefined, misfit: { code: 'PKG_WRONG_MODEL', detail: { model: 'PR-400KI' } }, target: undefined }, 'E207'],
    ['ordered', { target: undefined }, 'E719'],
    ['ordered', { target: { ...target, state: 'TERMINATED', endedAt: ago(1), removedReason: 'cancelled' } }, 'E719'],
    ['gateway', { gateway: undefined }, 'E113'],
    ['gateway', { gateway: { ...gateway, isEnrolled: false } }, 'E907'],
    ['gateway', { gateway: { ...gateway, isBlocked: true } }, 'E411'],
    ['contact', { gateway: { ...gateway, online: false, lastSeenAt: null } }, 'E419'],
    ['contact', { gateway: { ...gateway, online: false, lastSeenAt: ago(37) } }, 'E419'],
    ['listed', { isHeld: true, notice: { ...notice, listed: undefined, noticedVersion: null } }, 'E948'],
    [
      'contact',
      {
        ...waits,
        target: { ...target, state: 'DELIVERING', committedVersion: null, deadline: ago(1) },
        gateway: { ...gateway, online: false },
      },
      'E419',
    ],
    [
      'reported',
      {
        target: { ...target, state: 'FAILED', committedVersion: null },
        report: { ...report, state: 'failed', code: 'STORE_NO_SPACE', detail: { need: 10, free: 5 } },
      },
      'E305',
    ],
    ['reported', { ...waits, target: { ...target, state: 'DELIVERING', committedVersion: null, deadline: ago(1) } }, 'E419'],
    ['entitled', { target: { ...target, graceUntil: ago(1), runningBytes: 2_000_000 } }, 'E304'],
  ];
  test.each(rows)('%s', (id, changes, number) => {
    const explained = explainDelivery({ ...running, ...changes });
    expect(explained.firstMissing).toBe(id);
    expect(explained.rungs.find((rung) => rung.id === id)).toMatchObject({ status: 'no', reasons: [{ number }] });
  });

  test('every rung that can stand in the way does so here, and quotes the sheet where the sheet has a word', () => {
    const rules = [...contractRungs, ...orderRungs, ...deliveryRungs];
    const goOnByThemselves = ['notice', 'running', 'removed'];
    expect([...new Set(rows.map(([id]) => id)), ...goOnByThemselves].sort()).toEqual(rules.map(({ id }) => id).sort());
    for (const { id, clause } of [...contractRungs, ...orderRungs]) expect([id, (clause ?? '').length > 10]).toEqual([id, true]);
  });
});

describe('what goes on by itself is no fault:', () => {
  test.each<[string, Partial<Snapshot>, string]>([
    ['a gateway that is away for a while', { gateway: { ...gateway, online: false, lastSeenAt: ago(3) } }, 'contact'],
    ['a notice that is not made yet', { notice: { ...notice, listed: undefined, noticedVersion: null } }, 'listed'],
    ['a notice that the gateway has not applied', { gateway: { ...gateway, appliedVersion: 4 } }, 'notice'],
    ['an installation at work', {}, 'reported'],
  ])('%s', (_, changes, id) => {
    const explained = explainDelivery({ ...waits, ...changes });
    expect(explained.firstMissing).toBe(id);
    expect(explained.rungs.find((rung) => rung.id === id)).toMatchObject({ status: 'waiting', reasons: [] });
  });

  test('a word about the target says that its notice was applied, whatever the last birth said', () => {
    const heard = { ...waits, gateway: { ...gateway, appliedVersion: 4 }, report: { ...report, kind: 'start', state: null } };
    expect(explainDelivery(heard).firstMissing).toBe('reported');
  });

  test('a gateway that is away for a while keeps running what it has', () => {
    expect(explainDelivery({ ...running, gateway: { ...gateway, online: false, lastSeenAt: ago(20) } }).firstMissing).toBeNull();
  });

  test('a lower plan until its grace is over', () => {
    expect(explainDelivery({ ...running, target: { ...target, graceUntil: ahead(1), runningBytes: 2_000_000 } }).firstMissing).toBeNull();
  });
});

describe('the end of a target', () => {
  const ended = { ...target, state: 'TERMINATED', endedAt: ago(2), removedReason: 'cancelled' } as const;
  test('has one rung more: whether the gateway has removed it', () => {
    expect(rungOf(running, 'removed')).toBeUndefined();
    expect(rungOf({ ...running, target: ended }, 'removed')).toMatchObject({
      status: 'waiting',
      inputs: { removedReason: 'cancelled', purgedAt: null },
    });
    expect(rungOf({ ...running, target: { ...ended, purgedAt: ago(1) } }, 'removed')).toMatchObject({ status: 'yes', since: ago(1) });
    expect(rungOf({ ...running, target: { ...ended, entitledUntil: null } }, 'removed')).toBeUndefined();
  });
});

describe('a review', () => {
  const review = { case: 'c'.repeat(26), openedAt: ago(1) };
  const reviewed = { ...running, software: { ...software, state: 'UNDER_REVIEW', review }, target: undefined } as const;
  test('is told to whoever may know, with the case; to others that deliveries are paused', () => {
    expect(rungOf(reviewed, 'software')).toMatchObject({
      reasons: [{ ja: '第三者機関による倫理審査中です。' }],
      inputs: { case: review.case },
    });
    const neutral = rungOf({ ...reviewed, software: { ...reviewed.software, review: undefined, mayKnowReview: false } }, 'software');
    expect(neutral?.reasons[0]?.ja).toBe('現在、このソフトウェアの新たな配信を停止しています。');
    expect(JSON.stringify({ ...neutral, reasons: neutral?.reasons.map(({ code: _, ...told }) => told) })).not.toMatch(/審査|苦情|review/i);
  });

  test('does not stand in the way of a running copy (D-12)', () => {
    expect(explainDelivery({ ...running, software: reviewed.software }).firstMissing).toBeNull();
  });
});

test('every size refusal says the limit and the measured bytes in Japanese', () => {
  const misfit = { code: 'SIZE_OVER_LIMIT', detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 } } as const;
  expect(rungOf({ ...running, misfit }, 'fits')?.reasons[0]?.ja).toMatch(/PR-400KI.*6,000,000バイト未満.*6,213,004バイト/);
  expect(rungOf({ ...running, misfit }, 'fits')?.inputs).toMatchObject({ modelLimit: 6_000_000, planLimit: 1_500_000, isInvented: true });
});

test('hiding the contract leaves one rung and no code or fact of it', () => {
  const hidden = hideContract(explainDelivery({ ...running, contract: contractOf({ line: 'CROSS', hgwModel: 'PR-S300' }) }));
  expect(hidden).toMatchObject({ result: 'INELIGIBLE', firstMissing: 'conditions' });
  expect(hidden.rungs[0]?.reasons).toMatchObject([{ number: 'E100' }]);
  expect(JSON.stringify(hidden)).not.toMatch(/E10[13]|PR-S300|ELIG_MODEL|CROSS/);
  expect(hideContract(explainDelivery(running)).rungs[0]).toMatchObject({ id: 'conditions', status: 'yes', reasons: [] });
});

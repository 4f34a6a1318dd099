import { describe, expect, test } from 'vitest';
import { type ContractFacts, decideEligibility } from '../../../server/rules/eligibility.ts';
import { eligibilityCatalogues } from '../../../server/rules/eligibility-catalogue.ts';
import { explainDelivery, hideContract, type Snapshot } from '../../../server/rules/explain.ts';

const facts: ContractFacts = {
  line: 'NEXT_OTHER',
  access: 'DIRECT',
  hgwModel: 'PR-400KI',
  denwa: 'STANDARD',
  rental: false,
  officeEq: 'no',
  bflets: false,
  typeChanged: 'none',
  lineCancelled: false,
  hgwCancelled: false,
};
const at = new Date('2026-11-22T00:00:00Z');
const eligibilityOf = (changes: Partial<ContractFacts> = {}) =>
  decideEligibility({ ...facts, ...changes }, eligibilityCatalogues.seed, '2026-11-22');
const target = {
  state: 'READY',
  version: '1.0.0',
  committedVersion: null,
  requestedAt: at,
  enteredNoticeAt: null,
  deadline: null,
} as const;
const gateway = {
  gateway: 'gw-0001',
  isEnrolled: true,
  isBlocked: false,
  online: true,
  lastSeenAt: at,
  noticeVersion: 5,
  appliedVersion: 5,
};
const running: Snapshot = {
  eligibility: eligibilityOf(),
  software: { state: 'PUBLISHED', hasRelease: true },
  hasConsent: true,
  misfit: undefined,
  target: { ...target, state: 'ACTIVE', committedVersion: '1.0.0', enteredNoticeAt: at },
  gateway,
  report: undefined,
};

test('a running software has every rung, and nothing is missing', () => {
  const { rungs, firstMissing } = explainDelivery(running);
  expect(firstMissing).toBeUndefined();
  expect(rungs.map(({ status }) => status).every((status) => status === 'yes')).toBe(true);
  for (const { question } of rungs) expect(question.ja).toMatch(/[ぁ-ん]/);
});

describe('the first step that is missing is', () => {
  test.each<[string, Partial<Snapshot>, string]>([
    ['contract', { eligibility: eligibilityOf({ lineCancelled: true, denwa: 'NONE' }) }, 'E107'],
    ['line', { eligibility: eligibilityOf({ line: 'CROSS', hgwModel: 'XG-100NE' }) }, 'E101'],
    ['model', { eligibility: eligibilityOf({ hgwModel: 'PR-S300' }) }, 'E103'],
    ['software', { software: undefined }, 'E953'],
    ['software', { software: { state: 'UNDER_REVIEW', hasRelease: true } }, 'E701'],
    ['software', { software: { state: 'PROHIBITED', hasRelease: true } }, 'E702'],
    ['consent', { hasConsent: false, target: undefined }, 'E710'],
    ['fits', { misfit: { code: 'SIZE_OVER_LIMIT', detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 } } }, 'E304'],
    ['ordered', { target: undefined }, 'E719'],
    ['ordered', { target: { ...target, state: 'TERMINATED' } }, 'E719'],
    ['gateway', { gateway: undefined }, 'E113'],
    ['gateway', { gateway: { ...gateway, isEnrolled: false } }, 'E907'],
    ['gateway', { gateway: { ...gateway, isBlocked: true } }, 'E411'],
  ])('%s', (id, changes, number) => {
    const { rungs, firstMissing } = explainDelivery({ ...running, ...changes });
    expect(firstMissing).toBe(id);
    expect(rungs.find((rung) => rung.id === id)?.reasons[0]?.number).toBe(number);
  });

  test('the notice, while the gateway has not applied the one that names the target', () => {
    const waiting = { ...running, target: { ...target, enteredNoticeAt: at }, gateway: { ...gateway, appliedVersion: 4 } };
    expect(explainDelivery(waiting).firstMissing).toBe('notice');
    expect(explainDelivery({ ...waiting, gateway }).firstMissing).toBe('running');
  });

  test('the running copy, with the code that the gateway reported', () => {
    const failed: Snapshot = {
      ...running,
      target: { ...target, state: 'FAILED', enteredNoticeAt: at },
      report: { state: 'failed', code: 'STORE_NO_SPACE', detail: { need: 10, free: 5 }, at },
    };
    const { rungs, firstMissing } = explainDelivery(failed);
    expect(firstMissing).toBe('running');
    expect(rungs.at(-1)).toMatchObject({ status: 'no', reasons: [{ number: 'E305', ja: expect.stringContaining('10') }] });
  });
});

test('every size refusal says the limit and the measured bytes in Japanese', () => {
  const misfit = { code: 'SIZE_OVER_LIMIT', detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 } } as const;
  const rung = explainDelivery({ ...running, misfit }).rungs.find(({ id }) => id === 'fits');
  expect(rung?.reasons[0]?.ja).toMatch(/PR-400KI.*6,000,000バイト未満.*6,213,004バイト/);
});

test('hiding the contract leaves one rung and no code of it', () => {
  const hidden = hideContract(explainDelivery({ ...running, eligibility: eligibilityOf({ hgwModel: 'PR-S300' }) }));
  expect(hidden).toMatchObject({ result: 'INELIGIBLE', firstMissing: 'conditions' });
  expect(hidden.rungs[0]?.reasons).toMatchObject([{ number: 'E100' }]);
  expect(JSON.stringify(hidden)).not.toMatch(/E103|PR-S300|ELIG_MODEL/);
  expect(hideContract(explainDelivery(running)).rungs[0]).toMatchObject({ id: 'conditions', status: 'yes', reasons: [] });
});

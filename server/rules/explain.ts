/** 「なぜこのPR-400に入っていないのか」: the whole ladder from the contract to the running software, and the first step that is missing. */
import { describe, type ErrorCode, type ErrorDetail, isErrorCode } from '../../protocol/errors.ts';
import { type Eligibility, eligibilityClauses } from './eligibility.ts';
import type { SoftwareState } from './software-states.ts';
import type { TargetState } from './targets.ts';

export type Snapshot = {
  readonly eligibility: Eligibility;
  readonly software: { readonly state: SoftwareState; readonly hasRelease: boolean } | undefined;
  readonly hasConsent: boolean;
  /** Why the newest release does not go onto this model; undefined: it does. */
  readonly misfit: { readonly code: ErrorCode; readonly detail: ErrorDetail } | undefined;
  readonly target:
    | {
        readonly state: TargetState;
        readonly version: string | null;
        readonly committedVersion: string | null;
        readonly requestedAt: Date;
        readonly enteredNoticeAt: Date | null;
        readonly deadline: Date | null;
      }
    | undefined;
  readonly gateway:
    | {
        readonly gateway: string;
        readonly isEnrolled: boolean;
        readonly isBlocked: boolean;
        readonly online: boolean;
        readonly lastSeenAt: Date | null;
        readonly noticeVersion: number;
        readonly appliedVersion: number | null;
      }
    | undefined;
  /** The newest report about this target. */
  readonly report:
    | { readonly state: string | null; readonly code: string | null; readonly detail: ErrorDetail; readonly at: Date }
    | undefined;
};

/** yes: this step is done · no: it stands in the way · waiting: it goes on by itself */
export type RungStatus = 'yes' | 'no' | 'waiting';
export type Reason = {
  readonly number: string;
  readonly code: ErrorCode;
  readonly ja: string;
  readonly en: string;
  readonly remedy: { readonly ja: string; readonly en: string };
  readonly who: string;
};
export type Rung = {
  readonly id: string;
  readonly question: { readonly ja: string; readonly en: string };
  readonly status: RungStatus;
  readonly reasons: readonly Reason[];
  /** The service sheet's words, for a rung of the contract. */
  readonly clause?: string;
  readonly inputs: Readonly<Record<string, unknown>>;
};
export type Explanation = {
  readonly result: Eligibility['result'];
  readonly rungs: readonly Rung[];
  /** Id of the first rung that is not `yes`; undefined: delivered and running. */
  readonly firstMissing: string | undefined;
};

const contractRungs: readonly { id: string; codes: readonly Eligibility['fired'][number]['code'][]; question: Rung['question'] }[] = [
  { id: 'contract', codes: ['ELIG_CONTRACT_ENDED'], question: { ja: '契約は生きているか', en: 'Is the contract in force?' } },
  { id: 'line', codes: ['ELIG_LINE'], question: { ja: '回線は対象か', en: 'Is the line eligible?' } },
  { id: 'home-gateway', codes: ['ELIG_NO_GATEWAY'], question: { ja: 'ホームゲートウェイがあるか', en: 'Is there a home gateway?' } },
  { id: 'model', codes: ['ELIG_MODEL'], question: { ja: '機種は対象か', en: 'Is the model eligible?' } },
  {
    id: 'phone-or-rental',
    codes: ['ELIG_NO_PHONE_OR_RENTAL'],
    question: { ja: '前提契約は足りるか', en: 'Is there a telephone or rental contract?' },
  },
  {
    id: 'office-equipment',
    codes: ['ELIG_OFFICE_EQUIPMENT', 'ELIG_OFFICE_UNKNOWN'],
    question: { ja: '電話オフィスと機器の併用はないか', en: 'Is no office telephone equipment attached?' },
  },
  {
    id: 'type-change',
    codes: ['ELIG_TYPE_CHANGE'],
    question: { ja: 'ひかり電話タイプ変更は済んでいるか', en: 'Is the type change completed?' },
  },
];

/** The answer for those who may not see the customer's contract (DOMAIN §12). */
export function hideContract(explanation: Explanation): Explanation {
  const isMet = contractRungs.every(({ id }) => explanation.rungs.find((rung) => rung.id === id)?.status === 'yes');
  const conditions: Rung = {
    id: 'conditions',
    question: { ja: '提供条件を満たすか', en: 'Are the provision conditions met?' },
    status: isMet ? 'yes' : 'no',
    reasons: isMet ? [] : [toReason('ELIG_NOT_MET', {})],
    inputs: {},
  };
  const others = explanation.rungs.filter(({ id }) => !contractRungs.some((rung) => rung.id === id));
  return concluded(isMet ? 'ELIGIBLE' : 'INELIGIBLE', [conditions, ...others]);
}

export function explainDelivery(it: Snapshot): Explanation {
  return concluded(it.eligibility.result, [
    ...contractRungs.map((rung) => contractRung(rung, it.eligibility)),
    softwareRung(it),
    single(
      'consent',
      { ja: '同意は登録されているか', en: 'Is the consent registered?' },
      it.hasConsent ? undefined : ['CONSENT_MISSING', {}],
      {},
    ),
    single(
      'fits',
      { ja: 'この機種に入る大きさか', en: 'Does it go onto this model?' },
      it.misfit && [it.misfit.code, it.misfit.detail],
      {},
    ),
    orderedRung(it),
    gatewayRung(it),
    noticeRung(it),
    installedRung(it),
  ]);
}

function concluded(result: Eligibility['result'], rungs: readonly Rung[]): Explanation {
  return { result, rungs, firstMissing: rungs.find(({ status }) => status !== 'yes')?.id };
}

function contractRung({ id, codes, question }: (typeof contractRungs)[number], { fired, day }: Eligibility): Rung {
  const own = fired.filter(({ code }) => codes.includes(code));
  const clause = eligibilityClauses().find(({ code }) => codes.includes(code))?.clause;
  const status = own.length === 0 ? 'yes' : 'no';
  return {
    id,
    question,
    status,
    reasons: own.map(({ code, detail }) => toReason(code, detail)),
    ...(clause === undefined ? {} : { clause }),
    inputs: Object.assign({ day }, ...own.map(({ detail }) => detail)),
  };
}

function softwareRung({ software }: Snapshot): Rung {
  const question = { ja: 'ソフトウェアは配信できる状態か', en: 'May the software be delivered?' };
  const inputs = software ?? {};
  if (software === undefined) return single('software', question, ['NOT_FOUND', { what: 'software' }], inputs);
  if (software.state === 'PROHIBITED') return single('software', question, ['SOFTWARE_PROHIBITED', {}], inputs);
  if (software.state === 'UNDER_REVIEW') return single('software', question, ['ETHICS_REVIEW', { kind: 'staff' }], inputs);
  const isReady = software.state === 'PUBLISHED' && software.hasRelease;
  return single('software', question, isReady ? undefined : ['STATE_FORBIDS', { state: software.state, action: 'order' }], inputs);
}

function orderedRung({ target }: Snapshot): Rung {
  const question = { ja: '配信は申し込まれているか', en: 'Has delivery been ordered?' };
  if (target === undefined) return single('ordered', question, ['NOT_ORDERED', {}], {});
  const inputs = { state: target.state, requestedAt: target.requestedAt };
  if (target.state === 'TERMINATED' || target.state === 'REJECTED') return single('ordered', question, ['NOT_ORDERED', {}], inputs);
  return single('ordered', question, undefined, inputs);
}

function gatewayRung({ gateway }: Snapshot): Rung {
  const question = { ja: 'ホームゲートウェイは登録されているか', en: 'Is the gateway registered and enrolled?' };
  if (gateway === undefined) return single('gateway', question, ['DEVICE_NOT_BOUND', {}], {});
  const inputs = { gateway: gateway.gateway, online: gateway.online, lastSeenAt: gateway.lastSeenAt };
  if (gateway.isBlocked) return single('gateway', question, ['GATEWAY_BLOCKED', { gateway: gateway.gateway }], inputs);
  return single('gateway', question, gateway.isEnrolled ? undefined : ['NOT_ENROLLED', {}], inputs);
}

function noticeRung({ target, gateway }: Snapshot): Rung {
  const question = { ja: '配信通知は届いているか', en: 'Has the gateway applied its notice?' };
  const sent = gateway?.noticeVersion ?? 0;
  const inputs = { enteredNoticeAt: target?.enteredNoticeAt ?? null, noticeVersion: sent, appliedVersion: gateway?.appliedVersion ?? null };
  const isApplied = target?.enteredNoticeAt != null && sent > 0 && (gateway?.appliedVersion ?? 0) >= sent;
  const isThere = isApplied || target?.committedVersion != null;
  return { id: 'notice', question, status: isThere ? 'yes' : 'waiting', reasons: [], inputs };
}

function installedRung({ target, report }: Snapshot): Rung {
  const question = { ja: '動作しているか', en: 'Is it installed and running?' };
  const inputs = {
    wanted: target?.version ?? null,
    running: target?.committedVersion ?? null,
    deadline: target?.deadline ?? null,
    reportedAt: report?.at ?? null,
    reported: report?.state ?? null,
  };
  if (target?.state === 'ACTIVE') return { id: 'running', question, status: 'yes', reasons: [], inputs };
  const hasFailed = target?.state === 'FAILED' || target?.state === 'ROLLED_BACK';
  const reasons = hasFailed && report?.code != null && isErrorCode(report.code) ? [toReason(report.code, report.detail)] : [];
  return { id: 'running', question, status: hasFailed ? 'no' : 'waiting', reasons, inputs };
}

function single(
  id: string,
  question: Rung['question'],
  fault: readonly [ErrorCode, ErrorDetail] | undefined,
  inputs: Rung['inputs'],
): Rung {
  return { id, question, status: fault === undefined ? 'yes' : 'no', reasons: fault === undefined ? [] : [toReason(...fault)], inputs };
}

export function toReason(code: ErrorCode, detail: ErrorDetail): Reason {
  const { number, ja, en, remedy, who } = describe(code, detail);
  return { number, code, ja, en, remedy, who };
}

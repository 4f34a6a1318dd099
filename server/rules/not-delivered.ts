/** Why an ordered software does not run where it was ordered for, and who has to act: the first thing that stands in the way (DOMAIN §9.2, D-23). */
import { describe, type ErrorCode, type ErrorDetail, isErrorCode, type Who } from '../../protocol/errors.ts';
import { toUtcTime } from '../../protocol/fields.ts';
import { entitledUntilMs } from './lease.ts';
import type { ReleaseState } from './release-states.ts';
import { type SoftwareState, softwareAllows } from './software-states.ts';
import type { TargetState } from './targets.ts';

export type DeliveryFacts = {
  readonly state: TargetState;
  readonly codes: readonly string[];
  /** What came with the codes: a limit, a version, the carrier of the line. */
  readonly detail: ErrorDetail;
  readonly software: SoftwareState;
  readonly wanted: { readonly version: string; readonly state: ReleaseState } | undefined;
  readonly committedVersion: string | undefined;
  readonly deadlineMs: number | undefined;
  readonly graceUntilMs: number | undefined;
  readonly planOver: { readonly limit: number; readonly actual: number } | undefined;
  readonly gateway: GatewayFacts | undefined;
};
export type GatewayFacts = {
  readonly gateway: string;
  readonly isEnrolled: boolean;
  readonly isBlocked: boolean;
  readonly isOnline: boolean;
  readonly lastSeenMs: number | undefined;
};

type Fault = { readonly code: ErrorCode; readonly detail: ErrorDetail };
type Rule = { readonly id: string; readonly find: (it: DeliveryFacts, nowMs: number) => Fault | undefined };

const fault = (code: ErrorCode, detail: ErrorDetail = {}): Fault => ({ code, detail });
const firstCode = ({ codes }: DeliveryFacts): ErrorCode | undefined => codes.find(isErrorCode);
const isMissing = ({ wanted, committedVersion }: DeliveryFacts) => wanted !== undefined && wanted.version !== committedVersion;
const seenAt = (gateway: GatewayFacts | undefined) =>
  gateway?.lastSeenMs === undefined ? { lastSeenAt: null } : { lastSeenAt: toUtcTime(gateway.lastSeenMs) };

/** In the order in which somebody has to act: nothing later can be seen to before what comes first. */
const rules: readonly Rule[] = [
  {
    id: 'contract',
    find: (it) => {
      if (it.state !== 'HOLD' && it.state !== 'REJECTED' && it.state !== 'SUSPENDED' && it.state !== 'REQUESTED') return undefined;
      return fault(firstCode(it) ?? 'ELIG_NOT_MET', it.detail);
    },
  },
  {
    id: 'software',
    find: (it) => {
      if (!isMissing(it) || softwareAllows[it.software].newInstalls) return undefined;
      if (it.software === 'UNDER_REVIEW') return fault('ETHICS_REVIEW', { kind: 'staff' });
      return fault('STATE_FORBIDS', { state: it.software, action: 'deliver' });
    },
  },
  {
    id: 'release',
    find: (it) =>
      isMissing(it) && it.wanted?.state !== 'ADMITTED' ? fault('DELIVERY_HALTED', { version: it.wanted?.version ?? null }) : undefined,
  },
  { id: 'no-gateway', find: ({ gateway }) => (gateway === undefined ? fault('DEVICE_NOT_BOUND', { kind: 'none' }) : undefined) },
  {
    id: 'blocked',
    find: ({ gateway }) => (gateway?.isBlocked === true ? fault('GATEWAY_BLOCKED', { gateway: gateway.gateway }) : undefined),
  },
  { id: 'not-enrolled', find: ({ gateway }) => (gateway?.isEnrolled === false ? fault('NOT_ENROLLED') : undefined) },
  {
    id: 'never-seen',
    find: ({ gateway }) => (gateway?.lastSeenMs === undefined ? fault('GATEWAY_SILENT', { kind: 'never-seen' }) : undefined),
  },
  {
    id: 'lease-ended',
    // Whatever we have signed since, it has heard nothing after it was last seen: by then the newest lease that it can have is over.
    find: ({ gateway }, nowMs) => {
      if (gateway?.lastSeenMs === undefined || gateway.isOnline) return undefined;
      const untilMs = entitledUntilMs(gateway.lastSeenMs);
      return nowMs < untilMs
        ? undefined
        : fault('GATEWAY_SILENT', { kind: 'lease-ended', entitledUntil: toUtcTime(untilMs), ...seenAt(gateway) });
    },
  },
  {
    id: 'plan-grace-over',
    find: ({ graceUntilMs, planOver }, nowMs) =>
      graceUntilMs !== undefined && graceUntilMs <= nowMs && planOver !== undefined
        ? fault('SIZE_OVER_LIMIT', { kind: 'plan', ...planOver })
        : undefined,
  },
  {
    id: 'failed',
    find: (it) => (it.state === 'FAILED' || it.state === 'ROLLED_BACK' ? fault(firstCode(it) ?? 'INTERNAL_FAULT', it.detail) : undefined),
  },
  {
    id: 'silent',
    find: (it, nowMs) =>
      isMissing(it) && it.deadlineMs !== undefined && it.deadlineMs <= nowMs
        ? fault('GATEWAY_SILENT', { deadline: toUtcTime(it.deadlineMs), ...seenAt(it.gateway) })
        : undefined,
  },
];

export type MissingReason = {
  readonly number: string;
  readonly code: ErrorCode;
  readonly ja: string;
  readonly en: string;
  readonly remedy: { readonly ja: string; readonly en: string };
};
export type Missing = {
  /** Which rule found it; `waiting`: nobody has to act, it goes on by itself. */
  readonly because: string;
  readonly who: Who;
  readonly reason: MissingReason | null;
};

/** @returns undefined: what was ordered runs */
export function findMissing(it: DeliveryFacts, nowMs: number): Missing | undefined {
  for (const { id, find } of rules) {
    const found = find(it, nowMs);
    if (found === undefined) continue;
    return { because: id, ...reasonOf(found.code, found.detail) };
  }
  return isMissing(it) ? { because: 'waiting', who: 'nobody', reason: null } : undefined;
}

/** For tests, and for people who ask what the list looks at. */
export const missingRules: readonly string[] = [...rules.map(({ id }) => id), 'waiting'];

/** What a provider reads in place of reasons about the customer, without the customer's consent (E100). */
export function withoutContract(missing: Missing): Missing {
  return missing.because === 'contract' ? { because: missing.because, ...reasonOf('ELIG_NOT_MET', {}) } : missing;
}

/** For whoever stands in a home: that a named provider is under review is no matter of the household's (DOMAIN §12). */
export function withoutReview(missing: Missing): Missing {
  return missing.reason?.code === 'ETHICS_REVIEW' ? { ...missing, ...reasonOf('ETHICS_REVIEW', {}) } : missing;
}

function reasonOf(found: ErrorCode, detail: ErrorDetail): Pick<Missing, 'who' | 'reason'> {
  const { number, code, ja, en, remedy, who } = describe(found, detail);
  return { who, reason: { number, code, ja, en, remedy } };
}

/** For how long: the columns of the daily sum. */
export const ages = [
  { id: 'day', days: 1 },
  { id: 'week', days: 7 },
  { id: 'month', days: 30 },
  { id: 'longer', days: Number.POSITIVE_INFINITY },
] as const;
export type Age = (typeof ages)[number]['id'];

export function ageOf(sinceMs: number, nowMs: number): Age {
  const days = (nowMs - sinceMs) / 86_400_000;
  return ages.find((age) => days < age.days)?.id ?? 'longer';
}

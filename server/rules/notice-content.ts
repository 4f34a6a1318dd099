/** What a gateway's notice says, from what the database holds (DESIGN §4): pure, so that "why does it list that" has one place to look. */
import type { Digest, GatewayId, ProviderId, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import { toUtcTime } from '../../protocol/fields.ts';
import { type GatewayProfile, gatewayProfiles, profileOf } from '../../protocol/gateway-models.ts';
import { limits } from '../../protocol/limits.ts';
import { type PriceClass, planLimitBytes } from '../../protocol/pricing.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Notice, Policy, Removal, RunLimits, Target } from '../../protocol/statements/notice.ts';
import { entitledUntilMs } from './lease.ts';
import { deploymentMs, noticeLifeMs } from './notice-schedule.ts';
import { deliverableStates, type TargetState } from './targets.ts';

/** The package of one release for this gateway's model. */
export type Offer = {
  readonly version: Version;
  /** False once the release was halted or withdrawn: running copies stay, nobody new gets it. */
  readonly isOffered: boolean;
  /** The "M" that its price classes were measured with (D-01). */
  readonly unitBytes: number;
  readonly package: { readonly sha256: Digest; readonly bytes: number };
  readonly manifestSha256: Digest;
  readonly installedBytes: number;
  readonly resources: Manifest['resources'];
  readonly permissions: Manifest['permissions'];
};

export type TargetFacts = {
  readonly target: RandomId;
  readonly software: SoftwareId;
  readonly provider: ProviderId;
  readonly state: TargetState;
  /** False during an ethics review or after withdrawal: new deliveries pause, running copies stay (D-12). */
  readonly isSoftwareOpen: boolean;
  readonly wanted: Offer | undefined;
  readonly committed: Offer | undefined;
  readonly attempt: number;
  readonly plan: PriceClass | undefined;
  /** Undefined until it first stands in a notice, and again when another release is wanted. */
  readonly deadlineMs: number | undefined;
  readonly graceUntilMs: number | undefined;
  readonly rollback: Target['rollback'];
};

export type NoticeFacts = {
  readonly gateway: GatewayId;
  readonly model: string;
  readonly rootVersion: number;
  readonly policy: Policy;
  readonly targets: readonly TargetFacts[];
  readonly removed: readonly Removal[];
  readonly requests: readonly { id: RandomId; kind: 'bundle' | 'resync'; expiresMs: number; maxBytes: number }[];
};

export function planNotice(facts: NoticeFacts, version: number, nowMs: number): Notice {
  // A model that left the catalogue keeps what it runs, under the tightest bounds that we know.
  const profile = profileOf(facts.model) ?? gatewayProfiles[0];
  return {
    v: 1,
    gateway: facts.gateway,
    version,
    issuedAt: toUtcTime(nowMs),
    expires: toUtcTime(nowMs + noticeLifeMs),
    rootVersion: facts.rootVersion,
    policy: facts.policy,
    targets: facts.targets.flatMap((target) => {
      const offer = decideListing(target);
      return offer === undefined ? [] : [planTarget(target, offer, profile, nowMs)];
    }),
    removed: facts.removed.slice(0, limits.removedPerNotice),
    requests: facts.requests
      .slice(0, limits.requestsPerNotice)
      .map(({ id, kind, expiresMs, maxBytes }) => ({ id, kind, expires: toUtcTime(expiresMs), maxBytes })),
  };
}

/**
 * Which version of a target's software the notice lists. The wanted one, while new deliveries are open; otherwise the one that runs already;
 * otherwise none: software that is in no notice is stopped and kept, never deleted.
 */
export function decideListing({ state, isSoftwareOpen, wanted, committed, plan }: TargetFacts): Offer | undefined {
  if (!deliverableStates.includes(state) || plan === undefined) return undefined;
  if (wanted !== undefined && wanted.version === committed?.version) return wanted;
  const isOpen = state !== 'SUSPENDED' && isSoftwareOpen && wanted?.isOffered === true;
  return isOpen ? wanted : committed;
}

function planTarget(target: TargetFacts, offer: Offer, profile: GatewayProfile, nowMs: number): Target {
  const plan = target.plan ?? 1;
  return {
    target: target.target,
    software: target.software,
    version: offer.version,
    provider: target.provider,
    attempt: target.attempt,
    package: offer.package,
    manifestSha256: offer.manifestSha256,
    installedBytes: offer.installedBytes,
    plan,
    entitledUntil: toUtcTime(entitledUntilMs(nowMs)),
    deadline: toUtcTime(target.deadlineMs ?? nowMs + deploymentMs),
    limits: limitsOf(plan, profile, offer),
    grants: offer.permissions,
    ...(target.graceUntilMs === undefined ? {} : { graceUntil: toUtcTime(target.graceUntilMs) }),
    ...(target.rollback === undefined || offer !== target.wanted ? {} : { rollback: target.rollback }),
  };
}

/** The smallest of plan, model profile and what the manifest asks for. */
function limitsOf(plan: PriceClass, profile: GatewayProfile, { resources: asked, unitBytes }: Offer): RunLimits {
  return {
    installedBytes: Math.min(planLimitBytes(plan, unitBytes), profile.installedBytes),
    dataBytes: Math.min(profile.dataBytes, asked.dataBytes),
    memoryBytes: Math.min(profile.memoryBytes, asked.memoryBytes),
    cpuPercent: Math.min(profile.cpuPercent, asked.cpuPercent),
    pids: Math.min(profile.pids, asked.pids),
    files: profile.files,
  };
}

/** True when both ask the same of the gateway; when they were said and how long they hold does not count. */
export function isSameWish(one: Notice, other: Notice): boolean {
  return wishOf(one) === wishOf(other);
}

function wishOf({ version: _, issuedAt: __, expires: ___, targets, ...wish }: Notice): string {
  return JSON.stringify([wish, targets.map(({ entitledUntil: ____, ...target }) => target)]);
}

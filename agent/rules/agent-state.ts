/** What the agent remembers across restarts and power cuts: `<data>/state.json`. Plain data; the rules make a new one, the state store keeps it. */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { Digest, GatewayId, ProviderId, RandomId, SoftwareId, UtcTime, Version } from '../../protocol/fields.ts';
import type { DeploymentState } from '../../protocol/messages/report.ts';
import type { SoftwareState } from '../../protocol/messages/status.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Grants, Removal, RunLimits, Target } from '../../protocol/statements/notice.ts';

export type Fault = { code: ErrorCode; detail: Readonly<Record<string, unknown>> };

export type Signer = {
  /** Key id of the CA that issued the certificate, as root's `revokedSigners` names it. */
  issuer: string;
  serial: string;
  /** Subject O: the provider's name for people. */
  organisation: string;
  notAfterMs: number;
};

/** A package whose signer, manifest and payload were proven. */
export type Verified = { manifest: Manifest; signer: Signer };

/** What stands in the store for one software. */
export type Installed = Verified & { version: Version; sha256: Digest; attempt: number; committedAt: UtcTime };

/** How one (target, sha256, attempt) ended; it is not tried again until a new digest or a higher attempt comes. */
export type Ended = {
  sha256: Digest;
  attempt: number;
  version: Version;
  state: 'rejected' | 'failed' | 'rolled-back' | 'stuck';
  /** Refused before its download began: decided anew when notice, space or clock change. */
  beforeDownload: boolean;
  fault: Fault;
  at: UtcTime;
  /** Ends by a power cut so far (E506): tried again by itself at most twice. */
  powerCuts: number;
};

/** What the last applied notice granted. It outlives the notice, so that a gateway without a valid notice still knows its leases. */
export type Terms = { entitledUntil: UtcTime; limits: RunLimits; grants: Grants; graceUntil: UtcTime | null };

/** One contract of one software on this gateway. Data belong to the target id. */
export type SoftwareRecord = {
  target: RandomId;
  software: SoftwareId;
  provider: ProviderId;
  /** Of its processes and data; 20001 and up, never given to another while anything of it is on disk. */
  uid: number;
  terms: Terms;
  committed: Installed | null;
  /** The package that was committed before, kept so that an order back needs no download. */
  previous: Digest | null;
  /** Newest last. */
  ended: readonly Ended[];
  /** Why the committed version does not run as it should, while that lasts. */
  trouble: (Fault & { at: UtcTime }) | null;
  orphanReported: boolean;
  /** The word last shown to people, since when, and why. */
  shown: { state: SoftwareState; at: UtcTime; fault: Fault | null };
};

export type Deployment = {
  id: RandomId;
  /** What the notice asked for when it began. */
  wish: Target;
  state: DeploymentState;
  startedAt: UtcTime;
  /** Restarts of the agent in the present state. */
  restarts: number;
  /** Whole downloads with a wrong digest so far. */
  wrongDigests: number;
  downloadTries: number;
  verified: Verified | null;
  /** The app data of the committed version were set aside, to be restored on a rollback. */
  dataSaved: boolean;
  /** Why it ended, or is being rolled back. */
  fault: Fault | null;
};

export type AgentState = {
  v: 1;
  /** Whose data these are: another identity purges everything first. */
  gateway: GatewayId;
  records: readonly SoftwareRecord[];
  /** At most one a target. One works at a time; the others wait for another try of their download. */
  deployments: readonly Deployment[];
  /** Targets whose removal was carried out and reported, while the notice still lists them. */
  closedRemovals: readonly RandomId[];
  /** Software that is being removed: purged again after a power cut, until its report stands in the outbox. */
  purging: { target: RandomId; software: SoftwareId; provider: ProviderId; reason: PurgeReason } | null;
  answeredRequests: readonly RandomId[];
};

export type PurgeReason = Removal['reason'] | 'other-target' | 'grace-over' | 'other-identity';

export const firstAppUid = 20_001;

export function emptyState(gateway: GatewayId): AgentState {
  return { v: 1, gateway, records: [], deployments: [], closedRemovals: [], purging: null, answeredRequests: [] };
}

export function recordOf(state: AgentState, target: RandomId): SoftwareRecord | undefined {
  return state.records.find((record) => record.target === target);
}

export function deploymentOf(state: AgentState, target: RandomId): Deployment | undefined {
  return state.deployments.find((deployment) => deployment.wish.target === target);
}

/** Replaces the deployment of the same target, or adds it. */
export function withDeployment(state: AgentState, deployment: Deployment): AgentState {
  return { ...state, deployments: [...withoutDeployment(state, deployment.wish.target).deployments, deployment] };
}

export function withoutDeployment(state: AgentState, target: RandomId): AgentState {
  return { ...state, deployments: state.deployments.filter((deployment) => deployment.wish.target !== target) };
}

/** Replaces the record of the same target, or adds it. */
export function withRecord(state: AgentState, record: SoftwareRecord): AgentState {
  const others = state.records.filter((other) => other.target !== record.target);
  return { ...state, records: [...others, record].sort((left, right) => (left.target < right.target ? -1 : 1)) };
}

export function withoutRecord(state: AgentState, target: RandomId): AgentState {
  return { ...state, records: state.records.filter((record) => record.target !== target) };
}

/** The smallest free uid: a uid that is still on disk under a record is never given twice. */
export function freeUid(state: AgentState): number {
  const taken = new Set(state.records.map((record) => record.uid));
  let uid = firstAppUid;
  while (taken.has(uid)) uid++;
  return uid;
}

/** What the gateway is like at one moment, as the people in the house and at the service desk are told (page, status, why). */
import type { ErrorCode } from '../../protocol/errors.ts';
import type { GatewayId, ProviderId, RandomId, SoftwareId, Version } from '../../protocol/fields.ts';
import type { SoftwareState } from '../../protocol/messages/status.ts';
import type { Manifest } from '../../protocol/statements/manifest.ts';
import type { Grants } from '../../protocol/statements/notice.ts';
import type { RefusedNotice } from './refused-notice.ts';

export type SoftwareSnapshot = {
  target: RandomId;
  software: SoftwareId;
  provider: ProviderId;
  /** Subject O of the provider's certificate; the provider's id until a package was verified. */
  providerName: string;
  /** The version that runs, or the one that was to be installed first. */
  version: Version;
  title: { ja: string; en: string };
  state: SoftwareState;
  changedAtMs: number;
  reason?: { code: ErrorCode; detail: Readonly<Record<string, unknown>> };
  manifest?: Manifest;
  /** What it may do here: manifest ∩ grants. */
  permissions?: Grants;
  /** Of these, and of what it says of itself, a message a day leaves the home. */
  isMeasured?: boolean;
  /** Only while the app runs. */
  webSocketPath?: string;
};
export type GatewaySnapshot = {
  gateway: GatewayId;
  model: string;
  firmware: string;
  agent: Version;
  atMs: number;
  online: boolean;
  lastNoticeAtMs?: number;
  /** Since the newest accepted one. */
  refusedNotice?: RefusedNotice;
  /** The operator wants telemetry: what the agent measures of itself leaves the home once a day. */
  isMeasured?: boolean;
  /** Control bytes; `packageBytes` are the bodies of packages, which stand beside them. */
  month: { usedBytes: number; targetBytes: number; alarmBytes: number; ceilingBytes: number; packageBytes?: number };
  software: readonly SoftwareSnapshot[];
};

/** All that `explain` looks at: what the database holds about one software at one site, at one moment. */
import type { ErrorCode, ErrorDetail } from '../../protocol/errors.ts';
import type { Removal, Target } from '../../protocol/statements/notice.ts';
import type { ApplicationState } from './application.ts';
import type { ConsentScope } from './consent.ts';
import type { SiteFacts } from './contract-events.ts';
import type { Eligibility } from './eligibility.ts';
import type { ReleaseState } from './release-states.ts';
import type { SoftwareState } from './software-states.ts';
import type { TargetState } from './targets.ts';

export type Snapshot = {
  readonly nowMs: number;
  /** After a restore: nothing goes out until the operator confirms. */
  readonly isHeld: boolean;
  readonly contract: {
    readonly facts: SiteFacts;
    /** Day in Japan from which the facts count; null: nothing was ever recorded. */
    readonly effectiveOn: string | null;
    readonly recordedAt: Date | null;
    /** Of the catalogue that is in force. */
    readonly profile: string;
    readonly lines: readonly string[];
    readonly series: readonly string[];
    readonly eligibility: Eligibility;
  };
  readonly application: { readonly application: string; readonly state: ApplicationState; readonly since: Date } | undefined;
  readonly consent: {
    readonly isRequired: boolean;
    readonly scopes: readonly ConsentScope[];
    readonly givenAt: Date | null;
    readonly withdrawnAt: Date | null;
  };
  readonly software:
    | {
        readonly state: SoftwareState;
        readonly since: Date | null;
        /** Only for whoever may know of a review; otherwise left out. */
        readonly review: { readonly case: string; readonly openedAt: Date } | undefined;
        readonly mayKnowReview: boolean;
      }
    | undefined;
  /** The wanted release; before an order the one that an order would get. */
  readonly release:
    | {
        readonly version: string;
        readonly state: ReleaseState;
        readonly admittedAt: Date;
        readonly haltedAt: Date | null;
        readonly haltReason: string | null;
        readonly installedBytes: number;
        readonly plan: number;
        readonly planLimit: number;
      }
    | undefined;
  /** Why no release goes onto this model; undefined: one does. */
  readonly misfit: { readonly code: ErrorCode; readonly detail: ErrorDetail } | undefined;
  readonly model: { readonly model: string | null; readonly limit: number | null };
  readonly target:
    | {
        readonly target: string;
        readonly state: TargetState;
        readonly since: Date;
        readonly plan: number | null;
        readonly attempt: number;
        readonly committedVersion: string | null;
        readonly requestedAt: Date;
        readonly readyAt: Date | null;
        readonly enteredNoticeAt: Date | null;
        readonly deadline: Date | null;
        readonly silentSince: Date | null;
        readonly entitledUntil: Date | null;
        readonly graceUntil: Date | null;
        /** What outgrew its plan, while that lasts. */
        readonly runningBytes: number | null;
        readonly endedAt: Date | null;
        readonly removedReason: string | null;
        readonly purgedAt: Date | null;
      }
    | undefined;
  readonly gateway:
    | {
        readonly gateway: string;
        readonly model: string;
        readonly isEnrolled: boolean;
        readonly isBlocked: boolean;
        readonly online: boolean;
        readonly lastSeenAt: Date | null;
        readonly agent: string | null;
        readonly appliedVersion: number | null;
      }
    | undefined;
  /** The newest that was signed for the gateway. */
  readonly notice:
    | {
        readonly version: number;
        readonly issuedAt: Date;
        readonly expiresAt: Date;
        readonly listed: Target | undefined;
        readonly removed: Removal | undefined;
        /** In which the wanted version was listed first. */
        readonly noticedVersion: number | null;
      }
    | undefined;
  /** The newest that the gateway said about this target. */
  readonly report:
    | {
        readonly kind: string;
        readonly state: string | null;
        readonly version: string | null;
        readonly code: string | null;
        readonly detail: ErrorDetail;
        /** By the gateway's clock. */
        readonly saidAt: Date;
        readonly receivedAt: Date;
      }
    | undefined;
};

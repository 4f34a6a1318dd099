/** What the settings page is drawn from. */
import type { RandomId } from '../../../protocol/fields.ts';
import type { Fault } from '../agent-state.ts';
import type { Confirmation, Consent } from '../choices.ts';

/** What waits to be installed, and until when. */
export type PendingUpdate = {
  target: RandomId;
  software: string;
  title: { ja: string; en: string };
  /** Null before the first installation. */
  from: string | null;
  to: string;
  reason: Fault | null;
  /** Null when it cannot be put off (again). */
  mayPostponeUntilMs: number | null;
};

/** Of the operator, for diagnostics. */
export type OpenRequest = { id: RandomId; expiresMs: number; maxBytes: number; consent: Consent | null };

export type SettingsView = {
  gateway: string;
  model: string;
  pending: readonly PendingUpdate[];
  requests: readonly OpenRequest[];
  confirmations: readonly Confirmation[];
};

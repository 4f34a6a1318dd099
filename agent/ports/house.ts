/** Doors for the people in the house and the technician: where their choices are kept, and where they come in. */
import type { RandomId } from '../../protocol/fields.ts';
import type { GatewaySnapshot, SoftwareSnapshot } from '../ports.ts';
import type { Ask } from '../rules/ask.ts';
import type { Choices, Confirmation, Consent } from '../rules/choices.ts';

export interface ChoicesStore {
  /** @returns undefined when nothing was chosen yet  @throws TsugiteError STATE_DAMAGED */
  load(): Choices | undefined;
  /** @throws TsugiteError DISK_FULL · STORE_IO (what was there is unchanged) */
  save(choices: Choices): void;
}

/** What waits to be installed, and until when. */
export type PendingUpdate = {
  target: RandomId;
  software: string;
  title: { ja: string; en: string };
  /** Null before the first installation. */
  from: string | null;
  to: string;
  reason: SoftwareSnapshot['reason'] | null;
  /** Null when it cannot be put off (again). */
  mayPostponeUntilMs: number | null;
};
export type OpenRequest = { id: RandomId; expiresMs: number; maxBytes: number; consent: Consent | null };

export type SettingsView = {
  snapshot: GatewaySnapshot;
  pending: readonly PendingUpdate[];
  requests: readonly OpenRequest[];
  confirmations: readonly Confirmation[];
};

/** What was done about an ask. `isOnline` false: the server hears of it when the line is back. */
export type Answered = {
  kind: Ask['kind'];
  isOnline: boolean;
  updates: readonly { software: string; version: string; until: string | null }[];
};
export type AskedBy = 'page' | 'command';

export type House = {
  view(): SettingsView;
  /** @throws TsugiteError SOFTWARE_NOT_LISTED · NOTHING_PENDING · POSTPONE_LIMIT · NOT_FOUND · DISK_FULL · STORE_IO */
  answer(ask: Ask, by: AskedBy): Promise<Answered>;
};

/** A way in: the settings page, the control socket. */
export interface HouseDoor {
  start(house: House): Promise<void>;
  stop(): Promise<void>;
}

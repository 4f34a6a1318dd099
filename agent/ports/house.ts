/** Doors for the people in the house and the technician: where their choices are kept, and where they come in. */
import type { Ask } from '../rules/ask.ts';
import type { Choices } from '../rules/choices.ts';
import type { SettingsView } from '../rules/settings/view.ts';

export interface ChoicesStore {
  /** @returns undefined when nothing was chosen yet  @throws TsugiteError STATE_DAMAGED */
  load(): Choices | undefined;
  /** @throws TsugiteError DISK_FULL · STORE_IO (what was there is unchanged) */
  save(choices: Choices): void;
}

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

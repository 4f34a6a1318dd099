/** Doors of telemetry: where measurements wait for their day's end, and what only the outside can tell of the agent itself. */
import type { TelemetryHold } from '../rules/ledger.ts';
import type { Journal } from '../rules/telemetry/day.ts';
import type * as Message from '../rules/telemetry/message.ts';

export interface TelemetryStore {
  /** @returns undefined when there is none yet, or it cannot be read: measurements are worth no more than that */
  load(): Journal | undefined;
  /** @throws TsugiteError DISK_FULL · STORE_IO (what was there is unchanged) */
  save(journal: Journal): void;
}

export type TelemetryOutside = {
  store: TelemetryStore;
  /** Resident memory of the agent's process. */
  ownRssBytes(): number;
  /** Control bytes since the agent was started. */
  chargedSinceStart(): number;
  findHold(wireBytes: number, telemetryBytesPerMonth: number): TelemetryHold | undefined;
  loadMessage(): Promise<Pick<typeof Message, 'encodeDay' | 'costOfMessage'>>;
};

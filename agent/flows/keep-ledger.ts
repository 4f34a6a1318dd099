import { TsugiteError } from '../../protocol/errors.ts';
import type { LedgerStore } from '../ports/network.ts';
import type { ByteLedger, Clock, EventLog } from '../ports.ts';
import type { ReconnectSpending } from '../rules/back-off.ts';
import {
  type Budget,
  charge,
  chargePackage,
  emptyLedger,
  findTelemetryHold,
  inMonthOf,
  type Ledger,
  type Level,
  levelOf,
  monthProgress,
  type TelemetryHold,
  totalOf,
} from '../rules/ledger.ts';

type Needs = {
  store: LedgerStore;
  clock: Clock;
  log: EventLog;
  /** Trusted time (rules/clock.ts). */
  nowMs: () => number;
  /** Of the notice in force, or the defaults. */
  budget: () => Budget;
};

export type KeptLedger = ByteLedger & {
  /** Bodies of packages in this month; they stand beside the control bytes. */
  packageBytes(): number;
  /** Control bytes since the agent was started, whatever the month. */
  chargedSinceStart(): number;
  findTelemetryHold(wireBytes: number, telemetryBytesPerMonth: number): TelemetryHold | undefined;
  /** What the next reconnect may still cost. */
  reconnectSpending(): ReconnectSpending;
  /** Before the agent stops. */
  save(): void;
};

/**
 * An idle gateway charges a ping every half hour: each is worth a write; in a busy minute every second kilobyte is. A crash forgets at most this
 * much, and `tsugite-agent status`, which reads the disk, is behind by no more.
 */
const saveAfterMs = 10 * 60_000;
const saveAfterBytes = 2_000;

const levels: readonly Level[] = ['within-target', 'above-target', 'alarm', 'ceiling'];

/** The month's ledger: charged by the adapters, kept on disk across restarts, watched against the budget. */
export function makeKeepLedger({ store, clock, log, nowMs, budget }: Needs): KeptLedger {
  let ledger: Ledger = inMonthOf(store.load() ?? emptyLedger(nowMs()), nowMs());
  let chargedBytes = 0;
  let unsavedBytes = 0;
  let savedAtMs = clock.monotonicMs();
  let level = levelOf(totalOf(ledger), budget());

  function book(next: Ledger, wireBytes: number): void {
    if (wireBytes === 0) return;
    ledger = next;
    unsavedBytes += wireBytes;
    if (unsavedBytes >= saveAfterBytes || clock.monotonicMs() - savedAtMs >= saveAfterMs) save();
    tellLevel(levelOf(totalOf(ledger), budget()));
  }

  function save(): void {
    if (unsavedBytes === 0) return;
    unsavedBytes = 0;
    savedAtMs = clock.monotonicMs();
    try {
      store.save(ledger);
    } catch (error) {
      // A full disk must not end a connection: the bytes stay in memory, and the next save takes them along.
      if (!(error instanceof TsugiteError)) throw error;
      log.write({ event: 'disk.full', code: error.code, detail: error.detail });
    }
  }

  function tellLevel(now: Level): void {
    const isHigher = levels.indexOf(now) > levels.indexOf(level);
    level = now;
    if (!isHigher) return;
    const detail = { month: ledger.month, usedBytes: totalOf(ledger), byPurpose: ledger.bytes };
    if (now === 'alarm') log.write({ event: 'traffic.alarm', detail: { ...detail, limit: budget().alarmBytes } });
    if (now === 'ceiling')
      log.write({ event: 'traffic.ceiling', code: 'TRAFFIC_CEILING', detail: { ...detail, limit: budget().ceilingBytes } });
  }

  return {
    charge(purpose, wireBytes) {
      chargedBytes += wireBytes;
      book(charge(ledger, purpose, wireBytes, nowMs()), wireBytes);
    },
    chargePackage: (wireBytes) => book(chargePackage(ledger, wireBytes, nowMs()), wireBytes),
    month() {
      ledger = inMonthOf(ledger, nowMs());
      return { totalBytes: totalOf(ledger), byPurpose: ledger.bytes };
    },
    packageBytes: () => inMonthOf(ledger, nowMs()).packageBytes,
    chargedSinceStart: () => chargedBytes,
    findTelemetryHold: (wireBytes, telemetryBytesPerMonth) =>
      findTelemetryHold(inMonthOf(ledger, nowMs()), wireBytes, budget(), telemetryBytesPerMonth),
    reconnectSpending() {
      const current = inMonthOf(ledger, nowMs());
      const { elapsedMs, lengthMs } = monthProgress(nowMs());
      return {
        spentBytes: current.bytes.connect + current.bytes.retry,
        monthElapsedMs: elapsedMs,
        monthLengthMs: lengthMs,
        targetBytes: budget().targetBytes,
        ceilingReached: levelOf(totalOf(current), budget()) === 'ceiling',
      };
    },
    save,
  };
}

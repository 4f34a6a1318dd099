/**
 * The byte ledger: every control byte of the gateway, charged to what it was for, per calendar month in Japan. Package bodies are counted
 * beside it, because the few MB a month that a household is promised are without them (DOMAIN §6, D-20).
 */

export const purposes = ['connect', 'keepalive', 'notice', 'report', 'telemetry', 'fetch', 'retry'] as const;
export type Purpose = (typeof purposes)[number];

export type Ledger = {
  readonly v: 1;
  /** `2026-11`, in JST. */
  readonly month: string;
  readonly bytes: Readonly<Record<Purpose, number>>;
  readonly packageBytes: number;
};

export type Budget = { readonly targetBytes: number; readonly alarmBytes: number; readonly ceilingBytes: number };
export const defaultBudget: Budget = { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 };

const jstOffsetMs = 9 * 60 * 60_000;

export function monthOf(nowMs: number): string {
  return new Date(nowMs + jstOffsetMs).toISOString().slice(0, 7);
}

/** Where `nowMs` stands in its month: the reconnect allowance grows along it. */
export function monthProgress(nowMs: number): { elapsedMs: number; lengthMs: number } {
  const jst = new Date(nowMs + jstOffsetMs);
  const startMs = Date.UTC(jst.getUTCFullYear(), jst.getUTCMonth(), 1);
  const endMs = Date.UTC(jst.getUTCFullYear(), jst.getUTCMonth() + 1, 1);
  return { elapsedMs: jst.getTime() - startMs, lengthMs: endMs - startMs };
}

export function emptyLedger(nowMs: number): Ledger {
  return {
    v: 1,
    month: monthOf(nowMs),
    packageBytes: 0,
    bytes: { connect: 0, keepalive: 0, notice: 0, report: 0, telemetry: 0, fetch: 0, retry: 0 },
  };
}

/**
 * A later month starts at nothing. An earlier one (the clock was ahead and came back) takes the bytes along, so that going back in time
 * never makes spent bytes unspent.
 */
export function inMonthOf(ledger: Ledger, nowMs: number): Ledger {
  const month = monthOf(nowMs);
  if (month === ledger.month) return ledger;
  return month > ledger.month ? emptyLedger(nowMs) : { ...ledger, month };
}

export function charge(ledger: Ledger, purpose: Purpose, bytes: number, nowMs: number): Ledger {
  const current = inMonthOf(ledger, nowMs);
  return { ...current, bytes: { ...current.bytes, [purpose]: current.bytes[purpose] + bytes } };
}

export function chargePackage(ledger: Ledger, bytes: number, nowMs: number): Ledger {
  const current = inMonthOf(ledger, nowMs);
  return { ...current, packageBytes: current.packageBytes + bytes };
}

export function totalOf(ledger: Ledger): number {
  return purposes.reduce((sum, purpose) => sum + ledger.bytes[purpose], 0);
}

export type Level = 'within-target' | 'above-target' | 'alarm' | 'ceiling';

export function levelOf(totalBytes: number, { targetBytes, alarmBytes, ceilingBytes }: Budget): Level {
  if (totalBytes >= ceilingBytes) return 'ceiling';
  if (totalBytes >= alarmBytes) return 'alarm';
  return totalBytes >= targetBytes ? 'above-target' : 'within-target';
}

/** monthly-limit: the policy's own for telemetry. near-ceiling: of all control bytes; whoever reads the log should look why. */
export type TelemetryHold = 'monthly-limit' | 'near-ceiling';

/**
 * Why telemetry of so many bytes is not sent now; undefined when it may be. It is the first to stop, a tenth before the ceiling; what brings and
 * confirms stops and removals (connect, keepalive, notice, report) is never held.
 */
export function findTelemetryHold(
  ledger: Ledger,
  bytes: number,
  budget: Budget,
  telemetryBytesPerMonth: number,
): TelemetryHold | undefined {
  if (totalOf(ledger) + bytes >= budget.ceilingBytes * 0.9) return 'near-ceiling';
  return ledger.bytes.telemetry + bytes > telemetryBytesPerMonth ? 'monthly-limit' : undefined;
}

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeLedgerStore } from '../../../agent/adapters/ledger-store.ts';
import { makeKeepLedger } from '../../../agent/flows/keep-ledger.ts';
import { defaultBudget } from '../../../agent/rules/ledger.ts';
import { aManualClock, type ManualClock } from '../../support/manual-clock.ts';

let folder: string;
let clock: ManualClock;
let events: string[];
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-ledger-'));
  clock = aManualClock();
  events = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function aLedger(onDamage?: (error: unknown) => void) {
  return makeKeepLedger({
    store: makeLedgerStore(folder, onDamage),
    clock,
    nowMs: clock.wallMs,
    budget: () => defaultBudget,
    log: { write: ({ event, code }) => void events.push(code === undefined ? event : `${event} ${code}`) },
  });
}

test('what was charged is still there after a restart', () => {
  const before = aLedger();
  before.charge('connect', 2_831);
  before.chargePackage(7_000_000);
  before.save();
  const after = aLedger();
  after.charge('keepalive', 204);
  expect(after.month()).toMatchObject({ totalBytes: 3_035, byPurpose: { connect: 2_831, keepalive: 204 } });
  expect(after.packageBytes()).toBe(7_000_000);
});

test('it is written once in ten minutes or 2 kB, not at every ping', async () => {
  const ledger = aLedger();
  for (let n = 0; n < 9; n++) ledger.charge('keepalive', 204);
  expect(aLedger().month().totalBytes).toBe(0);
  await clock.advanceMs(600_000);
  ledger.charge('keepalive', 204);
  expect(aLedger().month().totalBytes).toBe(10 * 204);
  ledger.charge('notice', 50_000);
  expect(aLedger().month().totalBytes).toBe(10 * 204 + 50_000);
});

test('alarm and ceiling are told once a month', () => {
  const ledger = aLedger();
  for (let n = 0; n < 60; n++) ledger.charge('retry', 100_000);
  expect(events).toEqual(['traffic.alarm', 'traffic.ceiling TRAFFIC_CEILING']);
  clock.setWallMs(Date.parse('2026-12-05T00:00:00Z'));
  expect(ledger.month().totalBytes).toBe(0);
  for (let n = 0; n < 60; n++) ledger.charge('retry', 100_000);
  expect(events.length).toBe(4);
});

test('what was charged since the start goes on across months, and begins anew with the agent', () => {
  const ledger = aLedger();
  ledger.charge('keepalive', 204);
  clock.setWallMs(Date.parse('2026-12-05T00:00:00Z'));
  ledger.charge('report', 500);
  expect([ledger.chargedSinceStart(), ledger.month().totalBytes]).toEqual([704, 500]);
  expect(aLedger().chargedSinceStart()).toBe(0);
});

test('telemetry is asked for against what is left of this month', () => {
  const ledger = aLedger();
  ledger.charge('telemetry', 99_900);
  expect([ledger.findTelemetryHold(100, 100_000), ledger.findTelemetryHold(101, 100_000)]).toEqual([undefined, 'monthly-limit']);
  clock.setWallMs(Date.parse('2026-12-05T00:00:00Z'));
  expect(ledger.findTelemetryHold(101, 100_000)).toBeUndefined();
});

test('reconnects are told what they have spent', () => {
  const ledger = aLedger();
  ledger.charge('connect', 3_000);
  ledger.charge('retry', 500);
  ledger.charge('report', 9_000);
  expect(ledger.reconnectSpending()).toMatchObject({
    spentBytes: 3_500,
    targetBytes: 3_000_000,
    ceilingReached: false,
    monthLengthMs: 30 * 86_400_000,
  });
});

test('a damaged file falls back on the copy before, and without one starts anew instead of stopping the agent', () => {
  const ledger = aLedger();
  for (const bytes of [60_000, 70_000]) ledger.charge('connect', bytes);
  const file = path.join(folder, 'ledger.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('130000', '1'));
  const damages: unknown[] = [];
  expect(aLedger((error) => damages.push(error)).month().totalBytes).toBe(60_000);
  writeFileSync(`${file}.previous`, '');
  expect(aLedger((error) => damages.push(error)).month().totalBytes).toBe(0);
  expect(damages.length).toBe(2);
});

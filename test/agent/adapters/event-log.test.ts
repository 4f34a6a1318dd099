import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeEventLog } from '../../../agent/adapters/event-log.ts';
import { readLog } from '../../../agent/adapters/log-reader.ts';
import { toFields } from '../../../agent/compose/disk.ts';
import { aManualClock } from '../../support/manual-clock.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'event-log-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const clock = aManualClock();
const open = (bootId = 'boot 1') =>
  makeEventLog({
    dataDir,
    clock,
    nowMs: () => Date.parse('2026-11-22T01:02:03Z'),
    toFields: (event) => toFields(event, 'PR-400KI'),
    bootId,
  });
const path = () => join(dataDir, 'log', 'agent.log');
const seqs = () => readLog(dataDir).map(({ seq }) => seq);

test('an entry has its fields, and a sentence in each language with the reason behind it', () => {
  open().write({
    event: 'delivery.rejected',
    code: 'SIZE_OVER_LIMIT',
    software: 'heater.acme' as never,
    version: '1.0.0' as never,
    state: 'rejected',
    detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 },
  });
  const [entry] = readLog(dataDir);
  expect(entry).toEqual({
    level: 'warn',
    time: '2026-11-22T01:02:03.000Z',
    seq: 1,
    event: 'delivery.rejected',
    number: 'E304',
    code: 'SIZE_OVER_LIMIT',
    software: 'heater.acme',
    version: '1.0.0',
    model: 'PR-400KI',
    state: 'rejected',
    detail: { limitName: 'PR-400KI', limit: 6_000_000, actual: 6_213_004 },
    who: 'provider',
    ja: expect.stringContaining('6,000,000バイト未満'),
    en: expect.stringContaining('6,213,004'),
  });
});

test('what is below the level is neither written nor counted', () => {
  const log = open();
  log.write({ event: 'delivery.progress', state: 'verifying' });
  log.write({ event: 'agent.stopped', detail: {} });
  expect(seqs()).toEqual([1]);
});

describe('numbers', () => {
  test('go on over a restart, and over a killed agent: the kernel keeps what it wrote', () => {
    const log = open();
    for (let count = 0; count < 3; count++) log.write({ event: 'link.online' });
    open().write({ event: 'link.online' });
    expect(seqs()).toEqual([1, 2, 3, 4]);
  });

  test('go on after an orderly stop and another boot', () => {
    const log = open();
    log.write({ event: 'link.online' });
    log.close();
    open('boot 2').write({ event: 'link.online' });
    expect(seqs()).toEqual([1, 2]);
  });

  test('go on after a power cut that came when nothing had been written for a while', async () => {
    open().write({ event: 'link.online' });
    await clock.advanceMs(3_000);
    open('boot 2').write({ event: 'link.online' });
    expect(seqs()).toEqual([1, 2]);
  });

  test('jump after a power cut that may have taken entries, and the jump is an entry of its own (E904)', () => {
    const log = open();
    for (let count = 0; count < 3; count++) log.write({ event: 'link.online' });
    writeFileSync(path(), `${readFileSync(path(), 'utf8').split('\n').slice(0, 1).join('\n')}\n{"level":"in`);
    open('boot 2').write({ event: 'link.online' });
    expect(seqs()).toEqual([1, 65, 66]);
    expect(readLog(dataDir)[1]).toMatchObject({ event: 'log.gap', number: 'E904', detail: { from: 2, to: 64 } });
  });

  test('show a log that somebody has emptied', () => {
    const log = open();
    log.write({ event: 'link.online' });
    log.close();
    writeFileSync(path(), '');
    open().write({ event: 'link.online' });
    expect(readLog(dataDir)[0]).toMatchObject({ event: 'log.gap', detail: { from: 1, to: 1 } });
  });
});

test('a thousand entries are kept at any time, and not without end', () => {
  const log = open();
  for (let count = 0; count < 3_500; count++) log.write({ event: 'link.online' });
  expect(seqs().length).toBeGreaterThanOrEqual(1_000);
  expect(seqs().length).toBeLessThanOrEqual(2_000);
  expect(seqs().at(-1)).toBe(3_500);
}, 30_000);

test('one huge detail does not fill the log', () => {
  open().write({ event: 'agent.fault', detail: { at: 'x'.repeat(100_000) } });
  expect(readFileSync(path()).length).toBeLessThan(1_000);
});

test('an event that the catalogue does not know is told all the same', () => {
  open().write({ event: 'made.up' });
  expect(readLog(dataDir)[0]).toMatchObject({ event: 'made.up', level: 'warn' });
});

import { describe, expect, test } from 'vitest';
import { TsugiteError } from '../../../protocol/errors.ts';
import type { Telemetry } from '../../../protocol/messages/telemetry.ts';
import { readDay } from '../../../server/rules/telemetry-day.ts';
import { aTelemetry, japanMidnightMs } from '../../support/telemetry.ts';

const hourMs = 3_600_000;
const now = Date.parse('2026-11-24T03:00:00Z');
const yesterday = japanMidnightMs(now, 1);
const heater = 'heater0000000000000000';

test('a day is its peaks and sums', () => {
  const telemetry = aTelemetry({
    fromMs: yesterday,
    reconnects: 2,
    targets: [{ target: heater, restarts: 3, deniedConnections: 7, own: { devices: 4 } }],
  });
  const { rssKiB } = telemetry.agent;
  const gap: Telemetry = { ...telemetry, agent: { ...telemetry.agent, rssKiB: [...rssKiB.slice(0, 22), -54_000, 0] } };
  expect(readDay(gap, now)).toEqual({
    day: '2026-11-23',
    hours: 22,
    rssPeakKiB: 54_000,
    controlBytes: 12_000,
    reconnects: 2,
    targets: [{ target: heater, hoursUp: 24, memoryPeakKiB: 30_000, restarts: 3, dataKiB: 200, deniedConnections: 7, own: { devices: 4 } }],
  });
});

test('the day is Japan’s', () => {
  const dayOf = (fromMs: number, hours: number) => readDay(aTelemetry({ fromMs, hours }), now).day;
  expect(dayOf(Date.parse('2026-11-22T14:00:00Z'), 1)).toBe('2026-11-22');
  expect(dayOf(Date.parse('2026-11-22T15:00:00Z'), 24)).toBe('2026-11-23');
});

describe('refused is', () => {
  const told = (telemetry: Telemetry): unknown => {
    try {
      return readDay(telemetry, now);
    } catch (error) {
      return error instanceof TsugiteError ? (error.detail.faults as { fault: string }[])[0]?.fault : error;
    }
  };
  test.each<[string, Telemetry, string]>([
    ['a day to come', aTelemetry({ fromMs: japanMidnightMs(now, -1) }), 'the day has not begun'],
    ['the year 2099', aTelemetry({ fromMs: Date.parse('2099-01-01T00:00:00Z'), hours: 2 }), 'the day has not begun'],
    ['a day long past', aTelemetry({ fromMs: japanMidnightMs(now, 15) }), 'more than 14 days ago'],
    ['hours of two days', aTelemetry({ fromMs: yesterday + hourMs }), 'not hours of one day in Japan'],
    [
      'no hour at all',
      { ...aTelemetry({ fromMs: yesterday, hours: 1 }), agent: { rssKiB: [], controlBytes: [], reconnects: [] } },
      'not hours of one day in Japan',
    ],
    ['another step', { ...aTelemetry({ fromMs: yesterday }), stepS: 1800 }, 'not by the hour'],
    ['an hour that does not begin on the hour', aTelemetry({ fromMs: yesterday + 60_000, hours: 2 }), 'not by the hour'],
    ['a sum beyond reason', aTelemetry({ fromMs: yesterday, controlBytes: 2 ** 45 }), 'numbers beyond reason'],
    [
      'a peak beyond reason',
      aTelemetry({ fromMs: yesterday, targets: [{ target: heater, memoryPeakKiB: 2 ** 49 }] }),
      'numbers beyond reason',
    ],
  ])('%s', (_, telemetry, fault) => {
    expect(told(telemetry)).toBe(fault);
  });

  test('and not the oldest day that an agent may still have, nor one whose clock is a little ahead', () => {
    expect(told(aTelemetry({ fromMs: japanMidnightMs(now, 14) }))).toMatchObject({ day: '2026-11-10' });
    expect(told(aTelemetry({ fromMs: japanMidnightMs(now, 0) }))).toMatchObject({ day: '2026-11-24' });
  });
});

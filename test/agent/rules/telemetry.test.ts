import { describe, expect, test } from 'vitest';
import {
  addSample,
  dayOf,
  emptyJournal,
  finishedDaysKept,
  type Journal,
  keepNewest,
  type Sample,
  type TargetSample,
  withoutDay,
  withoutFuture,
} from '../../../agent/rules/telemetry/day.ts';
import { endOfDayMs, sampledAtMs, sendAtMs, untilNextSampleMs } from '../../../agent/rules/telemetry/hours.ts';
import { costOfMessage, encodeDay, toTelemetry } from '../../../agent/rules/telemetry/message.ts';
import { type GatewayId, gatewayId } from '../../../protocol/fields.ts';
import { fromColumn, parseTelemetry } from '../../../protocol/messages/telemetry.ts';
import { aGatewayId, anId } from '../../support/mint.ts';

const hourMs = 3_600_000;
/** Nine in the morning in Japan. */
const nine = Date.parse('2026-11-22T00:00:00Z');
const midnight = Date.parse('2026-11-22T15:00:00Z');
const heater = anId('heater');
const lamp = anId('lamp');
const epoch = 'ab'.repeat(16);

const of = (target: TargetSample['target'], change: Partial<TargetSample> = {}): TargetSample => ({
  target,
  memoryPeakKiB: 30_000,
  restarts: 0,
  dataKiB: 200,
  deniedConnections: 0,
  ...change,
});
const aSample = (targets: readonly TargetSample[] = [of(heater)], agent: Partial<Sample['agent']> = {}): Sample => ({
  agent: { rssKiB: 54_000, controlBytes: 528, reconnects: 0, ...agent },
  targets,
});
const journalOf = (...samples: [atMs: number, sample?: Sample][]): Journal =>
  samples.reduce((journal, [atMs, sample]) => addSample(journal, atMs, sample ?? aSample()), emptyJournal(aGatewayId));

describe('a day', () => {
  test('begins with the first hour that was measured, and holds one number an hour', () => {
    const { days } = journalOf([nine], [nine + hourMs, aSample([of(heater, { restarts: 2 })], { controlBytes: 264 })]);
    expect(days).toEqual([
      {
        from: '2026-11-22T00:00:00Z',
        agent: { rssKiB: [54_000, 54_000], controlBytes: [528, 264], reconnects: [0, 0] },
        targets: [{ target: heater, memoryPeakKiB: [30_000, 30_000], restarts: [0, 2], dataKiB: [200, 200], deniedConnections: [0, 0] }],
      },
    ]);
  });

  test('ends at midnight in Japan', () => {
    const { days } = journalOf([midnight - hourMs], [midnight]);
    expect(days.map(({ from }) => from)).toEqual(['2026-11-22T14:00:00Z', '2026-11-22T15:00:00Z']);
    expect(days.map(dayOf)).toEqual(['2026-11-22', '2026-11-23']);
  });

  test('shows hours without power as zeros', () => {
    const [day] = journalOf([nine], [nine + 3 * hourMs]).days;
    expect(day?.agent.rssKiB).toEqual([54_000, 0, 0, 54_000]);
    expect(day?.targets[0]?.memoryPeakKiB).toEqual([30_000, 0, 0, 30_000]);
  });

  test('takes two samples of one hour together: the higher peak, the sum of what happened', () => {
    const before = aSample([of(heater, { memoryPeakKiB: 40_000, restarts: 1, deniedConnections: 3 })], { rssKiB: 60_000, reconnects: 1 });
    const [day] = journalOf([nine, before], [nine + 1_800_000]).days;
    expect(day?.agent).toEqual({ rssKiB: [60_000], controlBytes: [1_056], reconnects: [1] });
    expect(day?.targets).toMatchObject([{ memoryPeakKiB: [40_000], restarts: [1], deniedConnections: [3] }]);
  });

  test('keeps what software last said of itself, the newest sixteen names', () => {
    const said = (own: Record<string, number>) => aSample([of(heater, { own })]);
    const [day] = journalOf([nine, said({ devices: 3, switched: 1 })], [nine + hourMs, said({ switched: 7 })]).days;
    expect(day?.targets[0]?.own).toEqual({ devices: 3, switched: 7 });
    const names = (from: number) => Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`name${from + at}`, at]));
    const [full] = journalOf([nine, said(names(0))], [nine + hourMs, said(names(8))]).days;
    expect(Object.keys(full?.targets[0]?.own ?? {})).toEqual(Object.keys(names(8)));
  });

  test('of software that came later has zeros before', () => {
    const [day] = journalOf([nine], [nine + hourMs, aSample([of(heater), of(lamp)])]).days;
    expect(day?.targets[1]).toMatchObject({ target: lamp, memoryPeakKiB: [0, 30_000] });
  });
});

describe('a clock', () => {
  test('that goes back makes no hour twice: until it has caught up, all counts for the last one', () => {
    const [day, ...others] = journalOf([nine + 2 * hourMs], [nine, aSample([of(heater, { restarts: 4 })])]).days;
    expect(others).toEqual([]);
    expect(day).toMatchObject({ from: '2026-11-22T02:00:00Z', targets: [{ restarts: [4] }] });
  });

  test('that goes back into a day that was sent begins it no second time', () => {
    const journal = journalOf([nine]);
    const sent = withoutDay(journal, journal.days[0] as never);
    expect(sent).toMatchObject({ days: [], sentUntil: '2026-11-22T15:00:00Z' });
    expect(addSample(sent, nine + hourMs, aSample()).days).toEqual([]);
    expect(addSample(sent, midnight, aSample()).days.length).toBe(1);
  });

  test('that was far ahead leaves nothing behind when it is right again', () => {
    const ahead = journalOf([nine], [Date.parse('2099-01-01T00:00:00Z')]);
    const kept = withoutFuture({ ...ahead, sentUntil: '2098-12-31T15:00:00Z' as never }, nine + hourMs);
    expect(kept).toMatchObject({ days: [{ from: '2026-11-22T00:00:00Z' }], sentUntil: null });
    expect(addSample(kept, nine + hourMs, aSample()).days).toHaveLength(1);
  });
});

test('a week of finished days is kept, and the oldest goes first', () => {
  const days = Array.from({ length: finishedDaysKept + 3 }, (_, day): [number] => [nine + day * 24 * hourMs]);
  const nowMs = nine + (finishedDaysKept + 2) * 24 * hourMs; // the last one is going on
  const { journal, dropped } = keepNewest(journalOf(...days), nowMs);
  expect(dropped.map(dayOf)).toEqual(['2026-11-22', '2026-11-23']);
  expect(journal.days.length).toBe(finishedDaysKept + 1);
  expect(keepNewest(journal, nowMs).dropped).toEqual([]);
});

describe('hours', () => {
  test('a sample is taken just past the full hour, and tells of the one before', () => {
    expect(untilNextSampleMs(nine + 600_000)).toBe(3_001_000);
    expect(sampledAtMs(nine + 1_000)).toBe(nine - 59_000);
  });

  test('a day in Japan ends at 15:00 UTC', () => {
    expect(endOfDayMs(nine)).toBe(midnight);
    expect(endOfDayMs(midnight)).toBe(midnight + 24 * hourMs);
    expect(endOfDayMs(midnight - 1)).toBe(midnight);
  });

  test('each gateway sends at its own moment, the same every day but for an hour of chance, and before the next day ends', () => {
    const gateways = Array.from({ length: 1_000 }, (_, n) => gatewayId.parse(`hgw-${(n * 7919).toString(36)}`));
    const at = (gateway: GatewayId, jitter = 0) => sendAtMs(midnight, gateway, jitter) - midnight;
    expect(at(aGatewayId)).toBe(sendAtMs(midnight + 24 * hourMs, aGatewayId, 0) - midnight - 24 * hourMs);
    expect(at(aGatewayId, 0.5) - at(aGatewayId)).toBe(hourMs / 2);
    for (const gateway of gateways) expect(at(gateway, 0.999)).toBeLessThan(23 * hourMs);
    const inHour = gateways.map((gateway) => Math.floor(at(gateway) / hourMs));
    const busiest = Math.max(...Array.from({ length: 22 }, (_, hour) => inHour.filter((one) => one === hour).length));
    expect(busiest).toBeLessThan(100); // 45 if it were quite even
  });
});

describe('a message', () => {
  const [day] = journalOf([nine, aSample([of(heater, { own: { devices: 3 } }), of(lamp)])], [nine + 2 * hourMs]).days;

  test('says in differences what was measured, of software that may tell it alone', () => {
    const telemetry = toTelemetry(day as never, { epoch, mayTell: (target) => target === heater });
    expect(telemetry).toMatchObject({
      v: 1,
      epoch,
      from: '2026-11-22T00:00:00Z',
      stepS: 3600,
      agent: { rssKiB: [54_000, -54_000, 54_000] },
    });
    expect(telemetry.targets).toMatchObject([{ target: heater, memoryPeakKiB: [30_000, -30_000, 30_000], up: 2, own: { devices: 3 } }]);
  });

  test('is read again as it was measured', () => {
    const { agent, targets } = parseTelemetry(encodeDay(day as never, { epoch, mayTell: () => true }));
    expect(fromColumn(agent.controlBytes)).toEqual([528, 0, 528]);
    expect(targets.map(({ target, up }) => [target, up])).toEqual([
      [heater, 2],
      [lamp, 1],
    ]);
    expect(fromColumn(targets[1]?.dataKiB ?? [])).toEqual([200, 0, 0]);
  });

  test('of a full day with three apps costs less than half a kilobyte on the line', () => {
    const apps = ['heater', 'lamp', 'aircon'].map(anId);
    const wander = (base: number, hour: number, by: number) => base + ((hour * 7919) % by);
    const hours = Array.from({ length: 24 }, (_, hour): [number, Sample] => [
      midnight + hour * hourMs,
      aSample(
        apps.map((app, at) =>
          of(app, { memoryPeakKiB: 31_000 + at * 4_096 + (hour > 9 ? 96 : 0), dataKiB: 200 + 4 * Math.floor(hour / 6) }),
        ),
        {
          rssKiB: wander(54_000, hour, 300),
          controlBytes: hour === 13 ? 6_120 : wander(396, hour, 3) * 1.5,
          reconnects: hour === 13 ? 1 : 0,
        },
      ),
    ]);
    const message = encodeDay(journalOf(...hours).days[0] as never, { epoch, mayTell: () => true });
    expect(message.length).toBeLessThanOrEqual(330);
    expect(costOfMessage(message.length)).toBeLessThanOrEqual(700);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { GatewayId, RandomId } from '../../../protocol/fields.ts';
import { encodeTelemetry } from '../../../protocol/messages/telemetry.ts';
import { topicOf } from '../../../protocol/topics.ts';
import { makeSweepTelemetry } from '../../../server/flows/sweep-telemetry.ts';
import { aGatewaySide, type GatewaySideRig } from '../../support/gateway-side.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';
import { aTelemetry, japanMidnightMs } from '../../support/telemetry.ts';

const dayMs = 86_400_000;
let rig: GatewaySideRig;
let gateway: GatewayId;
let site: RandomId;
let client: TestClient;
let target: RandomId;
let names = 0;

beforeAll(async () => {
  rig = await aGatewaySide();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  rig.clock.offsetMs = 0;
  rig.lines.length = 0;
  names += 1;
  ({ gateway, site } = await rig.aGateway(`gw-telemetry-${names}`, 'PR-400KI'));
  ({ target } = await rig.aTarget(site, { software: `software.n${names}` }));
  const identity = await rig.anIdentity(gateway);
  client = await connectMqtt(rig.ports().mqttPort, identity, rig.serverCa.certPem, { clientId: gateway, clean: false });
  return () => client.client.end(true);
});

const midnight = (daysAgo: number) => japanMidnightMs(rig.clock.nowMs(), daysAgo);
const send = (...said: Parameters<typeof aTelemetry>) =>
  client.publish(topicOf(gateway, 'telemetry'), encodeTelemetry(aTelemetry(...said)));
const gatewayDays = () =>
  rig.db.query('SELECT day, model, hours, rss_peak_kib, control_bytes, reconnects FROM gateway_days WHERE gateway_id = $1 ORDER BY day', [
    gateway,
  ]);
const targetDays = (of: RandomId = target) =>
  rig.db.query(
    'SELECT gateway_id, model, hours_up, memory_peak_kib, restarts, data_kib, denied_connections, own FROM target_days WHERE target_id = $1 ORDER BY day',
    [of],
  );
const logged = (event: string) => rig.lines.filter((line) => line.event === event);
const japanDate = (ms: number) => new Date(ms + 9 * 3_600_000).toISOString().slice(0, 10);

test('a day is kept as peaks and sums, for the gateway and for each of its targets', async () => {
  await send({ fromMs: midnight(1), reconnects: 2, targets: [{ target, restarts: 3, deniedConnections: 7, own: { devices: 4 } }] });
  expect(await gatewayDays()).toEqual([
    { day: japanDate(midnight(1)), model: 'PR-400KI', hours: 24, rss_peak_kib: 54_000, control_bytes: 12_000, reconnects: 2 },
  ]);
  expect(await targetDays()).toEqual([
    {
      gateway_id: gateway,
      model: 'PR-400KI',
      hours_up: 24,
      memory_peak_kib: 30_000,
      restarts: 3,
      data_kib: 200,
      denied_connections: 7,
      own: { devices: 4 },
    },
  ]);
  expect(logged('telemetry.taken')).toMatchObject([{ gateway, targets: 1, foreign: 0 }]);
});

test('sent again, after its acknowledgement was lost, it counts once', async () => {
  const day = { fromMs: midnight(1), reconnects: 2, targets: [{ target, restarts: 3 }] };
  await send(day);
  await send(day);
  expect(await gatewayDays()).toMatchObject([{ hours: 24, control_bytes: 12_000, reconnects: 2 }]);
  expect(await targetDays()).toMatchObject([{ restarts: 3 }]);
  expect(logged('telemetry.repeated')).toHaveLength(1);
});

test('two parts of a day in which the gateway was reset belong together', async () => {
  await send({ fromMs: midnight(1), hours: 10, targets: [{ target, memoryPeakKiB: 50_000, restarts: 1, own: { devices: 4, old: 1 } }] });
  await send({
    fromMs: midnight(1) + 12 * 3_600_000,
    hours: 12,
    epoch: 'f'.repeat(32),
    targets: [{ target, restarts: 2, own: { devices: 5 } }],
  });
  expect(await gatewayDays()).toMatchObject([{ hours: 22, control_bytes: 11_000 }]);
  expect(await targetDays()).toMatchObject([{ hours_up: 22, memory_peak_kib: 50_000, restarts: 3, own: { devices: 5, old: 1 } }]);
});

describe('a gateway that means harm', () => {
  test('says nothing about targets of another home', async () => {
    const victim = await rig.aGateway(`gw-victim-${names}`);
    const { target: theirs } = await rig.aTarget(victim.site, { software: `software.n${names}` });
    await send({
      fromMs: midnight(1),
      targets: [{ target: theirs, memoryPeakKiB: 900_000 }, { target }, { target: 'nobody0000000000000000' }],
    });
    expect(await targetDays(theirs)).toEqual([]);
    expect(await targetDays()).toHaveLength(1);
    expect(logged('telemetry.taken')).toMatchObject([{ targets: 3, foreign: 2 }]);
  });

  test('gets no fifth message of one day in, however it names it', async () => {
    for (let n = 0; n < 6; n++) await send({ fromMs: midnight(1), hours: 1, epoch: String(n).repeat(32) });
    expect(await gatewayDays()).toMatchObject([{ hours: 4 }]);
    expect(await rig.db.query('SELECT 1 FROM telemetry_messages WHERE gateway_id = $1', [gateway])).toHaveLength(4);
  });

  test('is told no more than that it was taken when it sends rubbish, and the log says why', async () => {
    await client.publish(topicOf(gateway, 'telemetry'), Buffer.from([9, 9, 9]));
    await send({ fromMs: midnight(-2) });
    await send({ fromMs: midnight(1), controlBytes: 2 ** 45 });
    expect(await gatewayDays()).toEqual([]);
    expect(logged('message.refused').map(({ code }) => code)).toEqual(Array(3).fill('MESSAGE_MALFORMED'));
  });

  test('cannot make the numbers so large that keeping them fails', async () => {
    for (const epoch of ['a', 'b', 'c', 'd'])
      await send({ fromMs: midnight(1), epoch: epoch.repeat(32), controlBytes: 2 ** 43, targets: [{ target, restarts: 2 ** 48 }] });
    expect(await gatewayDays()).toMatchObject([{ hours: 24, control_bytes: 4 * 24 * 2 ** 43 }]);
    expect(logged('message.not_stored')).toEqual([]);
  });
});

test('days are kept for a quarter and a bit, and what was taken is known for as long as it could come again', async () => {
  const sweep = makeSweepTelemetry(rig);
  await send({ fromMs: midnight(14), targets: [{ target }] });
  const rows = async () =>
    [await gatewayDays(), await targetDays(), await rig.db.query('SELECT 1 FROM telemetry_messages WHERE gateway_id = $1', [gateway])].map(
      ({ length }) => length,
    );
  await sweep();
  expect(await rows()).toEqual([1, 1, 1]);
  rig.clock.offsetMs = 2 * dayMs;
  await sweep();
  expect(await rows()).toEqual([1, 1, 0]);
  rig.clock.offsetMs = 86 * dayMs;
  await sweep();
  expect(await rows()).toEqual([1, 1, 0]);
  rig.clock.offsetMs = 87 * dayMs;
  await sweep();
  expect(await rows()).toEqual([0, 0, 0]);
});

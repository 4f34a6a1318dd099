import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { GatewayId } from '../../../protocol/fields.ts';
import { type TopicKind, topicOf } from '../../../protocol/topics.ts';
import { makeOutsideBroker } from '../../../server/adapters/outside-broker/outside-broker.ts';
import type { Broker, BrokerAccess, OutsideDuties, OutsideMessage, Turn } from '../../../server/ports/gateways.ts';
import type { Authority, Clock, Log } from '../../../server/ports.ts';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aMosquitto, type Mosquitto } from '../../support/mosquitto.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

const patience = { timeout: 15_000, interval: 10 };
type Identity = Awaited<ReturnType<typeof anIdentity>>;

let authorities: { server: Authority; device: Authority };
let mosquitto: Mosquitto;
let identity: Identity;
let broker: Broker<OutsideDuties>;
let names = 0;
let taken: OutsideMessage[];
let said: string[];
let lines: { event: string; [field: string]: unknown }[];
let newest: Map<GatewayId, Buffer>;
let outcomes: ('done' | 'again')[];
let waits: number[] = [];
const clients: TestClient[] = [];
const stops: (() => Promise<void>)[] = [];

const clock: Clock = {
  nowMs: () => Date.now(),
  after: (ms, run) => {
    waits.push(ms);
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
const keep = (event: string, fields = {}) => void lines.push({ event, ...fields });
const log: Log = { info: keep, warn: keep, error: keep };
/** The turn is ours from the start; the real one is tried with two servers below. */
const alone = (): Turn => ({ start: ({ began }) => began(), offer: async () => {}, stop: async () => {} });

beforeAll(async () => {
  authorities = { server: await anAuthority('test server CA'), device: await anAuthority('test device CA') };
  mosquitto = await aMosquitto(authorities);
});
afterAll(() => mosquitto.stop());
beforeEach(async () => {
  taken = [];
  said = [];
  lines = [];
  newest = new Map();
  outcomes = [];
  waits = [];
  names += 1;
  identity = await anIdentity(authorities.device, `gw-outside-${names}`);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.client.end(true);
  for (const stop of stops.splice(0)) await stop();
});

async function start(access: BrokerAccess = mosquitto.access): Promise<void> {
  broker = makeOutsideBroker({ access, publicPort: mosquitto.port, turn: alone(), clock, log });
  stops.push(broker.stop);
  await broker.start({
    began: async () => void said.push('began'),
    ended: async () => void said.push('ended'),
    connected: () => void said.push('connected'),
    take: async (message) => {
      taken.push(message);
      return outcomes.shift() ?? 'done';
    },
    synchronised: async () => void said.push('synchronised'),
    refill: async (publish) => {
      for (const [gateway, envelope] of newest) publish(gateway, envelope);
    },
  });
}
const isReady = async () => {
  await vi.waitFor(() => expect(said).toContain('synchronised'), patience);
  await vi.waitFor(() => expect(logged('broker.notices_compared').length).toBeGreaterThan(0), patience);
};
const started = async () => {
  await start();
  await isReady();
};
async function aClient(options: Parameters<typeof connectMqtt>[3] = {}, who: Identity = identity): Promise<TestClient> {
  const client = await connectMqtt(mosquitto.port, who, authorities.server.certPem, { clientId: who.gateway, ...options });
  clients.push(client);
  return client;
}
const own = (kind: TopicKind): string => topicOf(identity.gateway, kind);
const logged = (event: string) => lines.filter((line) => line.event === event);
const ownTaken = () => taken.filter(({ gateway }) => gateway === identity.gateway);

describe('hearing', () => {
  test('hands on what gateways say, in their order, with what each was', async () => {
    await started();
    const client = await aClient();
    await client.publish(own('presence'), 'birth', { retain: true });
    await client.publish(own('report'), '1');
    await client.publish(own('telemetry'), '2');
    await vi.waitFor(() => expect(ownTaken()).toHaveLength(3), patience);
    expect(ownTaken().map(({ what, payload, isReplay, isRedelivered }) => [what, payload.toString(), isReplay, isRedelivered])).toEqual([
      ['presence', 'birth', false, false],
      ['report', '1', false, false],
      ['telemetry', '2', false, false],
    ]);
  });

  test('what could not be stored is not acknowledged: it comes again, marked, and everything behind it after it', async () => {
    await started();
    outcomes = ['again'];
    const client = await aClient();
    for (const text of ['1', '2', '3']) await client.publish(own('report'), text);
    await vi.waitFor(() => expect(ownTaken().length).toBeGreaterThanOrEqual(4), patience);
    expect(ownTaken().map(({ payload }) => payload.toString())).toEqual(['1', '1', '2', '3']);
    expect(
      ownTaken()
        .map(({ isRedelivered }) => isRedelivered)
        .slice(0, 2),
    ).toEqual([false, true]);
    expect(logged('broker.lost').map(({ name, number }) => [name, number])).toEqual([['hearing', 'E961']]);
  });

  test('what came while we were away was kept by the broker', async () => {
    await started();
    await broker.stop();
    const client = await aClient();
    for (const text of ['1', '2']) await client.publish(own('report'), text);
    expect(ownTaken()).toEqual([]);
    await started();
    await vi.waitFor(() => expect(ownTaken().map(({ payload }) => payload.toString())).toEqual(['1', '2']), patience);
  });

  test('each new connection is shown every retained presence as old, and is told when that was all', async () => {
    const client = await aClient();
    await client.publish(own('presence'), 'birth', { retain: true });
    await started();
    expect(ownTaken().map(({ what, payload, isReplay }) => [what, payload.toString(), isReplay])).toContainEqual([
      'presence',
      'birth',
      true,
    ]);
    expect(said).toEqual(['began', 'connected', 'synchronised']);
    await mosquitto.restart();
    await vi.waitFor(() => expect(said.filter((word) => word === 'synchronised')).toHaveLength(2), patience);
    expect(ownTaken().filter(({ isReplay }) => isReplay)).toHaveLength(2);
  });

  test('a report that a gateway has retained is refused when it is shown again, and cleared', async () => {
    const client = await aClient();
    await client.publish(own('report'), 'retained', { retain: true });
    await started();
    await vi.waitFor(() =>
      expect(logged('broker.refused').map(({ gateway, why }) => [gateway, why])).toContainEqual([identity.gateway, 'wrong-retain']),
    );
    await vi.waitFor(async () => {
      lines = [];
      said = [];
      await broker.stop();
      await started();
      expect(logged('broker.refused')).toEqual([]);
    }, patience);
    expect(ownTaken().filter(({ isReplay }) => isReplay)).toEqual([]);
  });

  test('a report of QoS 0 is refused and named', async () => {
    await started();
    const client = await aClient();
    await client.publish(own('report'), 'x', { qos: 0 });
    await vi.waitFor(() => expect(logged('broker.refused').map(({ why }) => why)).toEqual(['wrong-qos']), patience);
    expect(ownTaken()).toEqual([]);
  });
});

describe('speaking', () => {
  test('a notice is retained, and the newest of many takes the place of all before it', async () => {
    await started();
    for (let n = 1; n <= 500; n += 1) broker.publishNotice(identity.gateway, Buffer.from(`notice ${n}`));
    const heard = async () => {
      const client = await aClient();
      await client.subscribe({ [own('notice')]: { qos: 1 } });
      const { payload, retain } = await client.hears(own('notice'));
      return [payload.toString(), retain];
    };
    await vi.waitFor(async () => expect(await heard()).toEqual(['notice 500', true]), patience);
  });

  test('a gateway that sends many reports gets one acknowledgement for those of a moment, the last one', async () => {
    await started();
    const client = await aClient();
    await client.subscribe({ [own('ack')]: { qos: 0 } });
    for (const upTo of [1, 2, 3]) broker.publishAck(identity.gateway, Buffer.from(`ack ${upTo}`));
    await client.hears(own('ack'), (payload) => payload.toString() === 'ack 3');
    expect(client.heard).toHaveLength(1);
  });

  test('after each connect the broker is given what it lacks or has old, and nothing that it has', async () => {
    const others = await Promise.all(['a', 'b'].map((name) => anIdentity(authorities.device, `${identity.gateway}-${name}`)));
    const [missing, stale] = others as [Identity, Identity];
    await started();
    broker.publishNotice(identity.gateway, Buffer.from('same'));
    broker.publishNotice(stale.gateway, Buffer.from('old'));
    const listening = await Promise.all([identity, missing, stale].map((who) => aClient({ clean: false }, who)));
    for (const [index, client] of listening.entries())
      await client.subscribe({ [topicOf(([identity, missing, stale][index] as Identity).gateway, 'notice')]: { qos: 1 } });
    await vi.waitFor(() => expect(listening.map(({ heard }) => heard.length)).toEqual([1, 0, 1]), patience);
    await broker.stop();

    newest = new Map(
      [identity, missing, stale].map(({ gateway }, index) => [gateway, Buffer.from(['same', 'new', 'newer'][index] as string)]),
    );
    lines = [];
    said = [];
    await started();
    await vi.waitFor(() => expect(listening.map(({ heard }) => heard.length)).toEqual([1, 1, 2]), patience);
    expect(logged('broker.notices_compared')).toMatchObject([{ missing: 2 }]);
    expect(listening.map(({ heard }) => heard.at(-1)?.payload.toString())).toEqual(['same', 'new', 'newer']);
  });

  test('while the broker is away nothing is kept for it, and it is told once what is newest when it is back', async () => {
    await started();
    await mosquitto.stopProgram();
    await vi.waitFor(() => expect(logged('broker.lost')).toHaveLength(2), patience);
    for (let n = 1; n <= 1_000; n += 1) broker.publishNotice(identity.gateway, Buffer.from(`notice ${n}`));
    newest.set(identity.gateway, Buffer.from('notice 1000'));
    lines = [];
    await mosquitto.startProgram();
    await vi.waitFor(() => expect(logged('broker.notices_compared')).toMatchObject([{ missing: 1 }]), patience);
    const client = await aClient();
    await client.subscribe({ [own('notice')]: { qos: 1 } });
    expect((await client.hears(own('notice'))).payload.toString()).toBe('notice 1000');
  });

  test('a broker that crashed and went back to an older state is brought up to date', async () => {
    await started();
    broker.publishNotice(identity.gateway, Buffer.from('notice 1'));
    const first = await aClient();
    await first.subscribe({ [own('notice')]: { qos: 1 } });
    await first.hears(own('notice'));
    await mosquitto.save();
    broker.publishNotice(identity.gateway, Buffer.from('notice 2'));
    await first.hears(own('notice'), (payload) => payload.toString() === 'notice 2');
    newest.set(identity.gateway, Buffer.from('notice 2'));
    await mosquitto.crash();
    lines = [];
    await mosquitto.startProgram();
    await vi.waitFor(() => expect(logged('broker.notices_compared')).toMatchObject([{ missing: 1 }]), patience);
    const later = await aClient();
    await later.subscribe({ [own('notice')]: { qos: 1 } });
    await later.hears(own('notice'), (payload) => payload.toString() === 'notice 2');
  });
});

describe('the connection', () => {
  test('a broker that is not there is waited for, and its absence told once with its number', async () => {
    await mosquitto.stopProgram();
    await start();
    await vi.waitFor(() => expect(waits.filter((ms) => ms === 1_000)).toHaveLength(2), patience);
    expect(waits.filter((ms) => ms === 500)).toHaveLength(2); // each pause twice the one before
    expect(
      logged('broker.unreachable')
        .map(({ name, number, code }) => [name, number, code])
        .sort(),
    ).toEqual([
      ['hearing', 'E961', 'BROKER_UNAVAILABLE'],
      ['speaking', 'E961', 'BROKER_UNAVAILABLE'],
    ]);
    await mosquitto.startProgram();
    await isReady();
  });

  test('a broker with a certificate of another authority is not believed', async () => {
    await start({ ...mosquitto.access, caPem: authorities.device.certPem });
    await vi.waitFor(
      () => expect(logged('broker.unreachable').map(({ why }) => String(why))).toContainEqual(expect.stringMatching(/certificate/)),
      patience,
    );
    expect(said).toEqual(['began']);
  });

  test('no gateway’s certificate opens the server’s door, and the server’s not the gateways’', async () => {
    const serverPort = Number(new URL(mosquitto.access.url).port);
    const server = mosquitto.access.certificate as { certPem: string; keyPem: string };
    await expect(connectMqtt(serverPort, identity, authorities.server.certPem, { clientId: 'tsugite.server' })).rejects.toThrow();
    await expect(connectMqtt(mosquitto.port, server, authorities.server.certPem, { clientId: 'tsugite.server' })).rejects.toThrow();
  });

  test('a gateway that is cut off loses its connection at once; its last will is published, and its session is gone', async () => {
    await started();
    const will = { topic: own('presence'), payload: Buffer.from('will'), qos: 1 as const, retain: true };
    const client = await aClient({ will, clean: false });
    await client.publish(own('report'), 'here');
    await vi.waitFor(() => expect(ownTaken()).toHaveLength(1), patience);
    broker.cutOff(identity.gateway);
    await client.closed();
    await vi.waitFor(() => expect(ownTaken().map(({ payload }) => payload.toString())).toEqual(['here', 'will']), patience);
    expect((await aClient({ clean: false })).sessionPresent).toBe(false);
  });
});

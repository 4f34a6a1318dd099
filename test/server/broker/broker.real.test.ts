import { randomBytes } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { GatewayId } from '../../../protocol/fields.ts';
import { type TopicKind, topicOf } from '../../../protocol/topics.ts';
import { makeBroker } from '../../../server/adapters/broker.ts';
import type { Broker, BrokerDuties, BrokerMessage, Verdict } from '../../../server/ports/gateways.ts';
import type { Authority, Clock, Log } from '../../../server/ports.ts';
import { brokerWorkerFile } from '../../support/broker-worker.ts';
import { anAuthority, anIdentity, aServerIdentity } from '../../support/gateway-pki.ts';
import { connectMqtt, type TestClient } from '../../support/mqtt-client.ts';

let serverCa: Authority;
let deviceCa: Authority;
let broker: Broker;
let port: number;
let identity: Awaited<ReturnType<typeof anIdentity>>;
let stranger: Awaited<ReturnType<typeof anIdentity>>;
let taken: BrokerMessage[];
let gone: { gateway: GatewayId; connection: number }[];
let refused: Record<string, unknown>[];
let worker: Worker;
let duties: BrokerDuties;
let verdict: Verdict;
let retained: Map<GatewayId, Buffer>;
let holdMessages: Promise<void>;
const clients: TestClient[] = [];

const clock: Clock = {
  nowMs: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
const log: Log = {
  info: () => {},
  warn: (event, fields = {}) => {
    if (event === 'broker.refused') refused.push({ ...fields });
  },
  error: () => {},
};

beforeAll(async () => {
  serverCa = await anAuthority('test server CA');
  deviceCa = await anAuthority('test device CA');
});

beforeEach(async () => {
  taken = [];
  gone = [];
  refused = [];
  verdict = 'allow';
  retained = new Map();
  holdMessages = Promise.resolve();
  duties = {
    mayConnect: async () => verdict,
    take: async (message) => {
      await holdMessages;
      taken.push(message);
    },
    gone: async (connection) => void gone.push(connection),
    refill: async (publish) => {
      for (const [gateway, bytes] of retained) publish(gateway, bytes);
    },
  };
  broker = makeBroker({
    settings: {
      listen: { host: '127.0.0.1', port: 0 },
      tls: { ...(await tlsOf(serverCa)), clientCas: [deviceCa.certPem] },
      maxKeepaliveS: 1800,
      maxConnections: 100,
    },
    clock,
    log,
    workerFile: await brokerWorkerFile(),
    startWorker: (file, options) => {
      worker = new Worker(file, options);
      return worker;
    },
  });
  port = await broker.start(duties);
  identity = await anIdentity(deviceCa, 'gw-tokyo-0001');
  stranger = await anIdentity(deviceCa, 'gw-tokyo-0002');
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.client.end(true);
  await broker.stop();
});

async function aConnected(options: Parameters<typeof connectMqtt>[3] = {}, who = identity): Promise<TestClient> {
  const client = await connectMqtt(port, who, serverCa.certPem, { clientId: who.gateway, ...options });
  clients.push(client);
  return client;
}

const own = (kind: TopicKind): string => topicOf(identity.gateway, kind);
const others = (kind: TopicKind): string => topicOf(stranger.gateway, kind);

test('a gateway publishes its own report, telemetry and presence, and each reaches the server', async () => {
  const client = await aConnected();
  await client.publish(own('report'), '{"n":1}');
  await client.publish(own('telemetry'), Buffer.from([1, 2, 3]));
  await client.publish(own('presence'), '{"online":true}', { retain: true });
  expect(taken.map(({ gateway, what, payload }) => [gateway, what, payload.toString('latin1')])).toEqual([
    ['gw-tokyo-0001', 'report', '{"n":1}'],
    ['gw-tokyo-0001', 'telemetry', '\u0001\u0002\u0003'],
    ['gw-tokyo-0001', 'presence', '{"online":true}'],
  ]);
});

test.each([
  ['another gateway’s report', () => others('report'), { qos: 1 }],
  ['its own notice', () => own('notice'), { qos: 1, retain: true }],
  ['its own ack', () => own('ack'), { qos: 0 }],
  ['a topic of nobody', () => 'tsugite/1/gw-tokyo-0001/secret', { qos: 1 }],
  ['the broker’s own topics', () => '$SYS/x', { qos: 1 }],
  ['a report without acknowledgement', () => own('report'), { qos: 0 }],
  ['a report with QoS 2', () => own('report'), { qos: 2 }],
  ['a retained report', () => own('report'), { qos: 1, retain: true }],
  ['a presence that is not retained', () => own('presence'), { qos: 1 }],
] satisfies [string, () => string, { qos: 0 | 1 | 2; retain?: boolean }][])(
  'publishing %s closes the connection, and the server hears nothing of it',
  async (_name, topic, options) => {
    const client = await aConnected();
    client.publish(topic(), 'x', { ...options }).catch(() => {});
    await client.closed();
    expect(taken).toEqual([]);
    expect(refused.map(({ gateway }) => gateway)).toEqual(['gw-tokyo-0001']);
  },
);

test.each([
  ['another gateway’s notice', () => others('notice')],
  ['its own report', () => own('report')],
  ['everything', () => '#'],
  ['all notices', () => 'tsugite/1/+/notice'],
])('subscribing to %s closes the connection', async (_name, filter) => {
  const client = await aConnected();
  client.subscribe({ [filter()]: { qos: 1 } }).catch(() => {});
  await client.closed();
  expect(refused).toHaveLength(1);
});

test('a client id that is not the name in the certificate is refused with return code 2', async () => {
  await expect(aConnected({ clientId: stranger.gateway })).rejects.toMatchObject({ code: 2 });
});

test('a keep-alive of 0, or above the bound, is refused with return code 5', async () => {
  await expect(aConnected({ keepalive: 0 })).rejects.toMatchObject({ code: 5 });
  await expect(aConnected({ keepalive: 1801 })).rejects.toMatchObject({ code: 5 });
});

test('a last will on another gateway’s presence, or on a report, is refused', async () => {
  await expect(aConnected({ will: { topic: others('presence'), payload: Buffer.from('x'), qos: 1, retain: true } })).rejects.toMatchObject({
    code: 5,
  });
  await expect(aConnected({ will: { topic: own('report'), payload: Buffer.from('x'), qos: 1, retain: false } })).rejects.toMatchObject({
    code: 5,
  });
});

test('a gateway that the server does not let in is refused with return code 5, and 3 while the server cannot tell', async () => {
  verdict = 'refuse';
  await expect(aConnected()).rejects.toMatchObject({ code: 5 });
  verdict = 'unavailable';
  await expect(aConnected()).rejects.toMatchObject({ code: 3 });
});

test('without a certificate, with one of another CA, or with an expired one, no byte of MQTT is read', async () => {
  const foreign = await anIdentity(await anAuthority('somebody else'), 'gw-tokyo-0001');
  const expired = await anIdentity(deviceCa, 'gw-tokyo-0001', { notBeforeMs: 0, notAfterMs: Date.now() - 1000 });
  await expect(aConnected({ cert: undefined, key: undefined } as never)).rejects.toThrow();
  await expect(aConnected({}, foreign)).rejects.toThrow();
  await expect(aConnected({}, expired)).rejects.toThrow();
});

test('TLS 1.2 is refused', async () => {
  const error = await new Promise<Error>((resolve) => {
    tlsConnect({ host: '127.0.0.1', port, ca: serverCa.certPem, cert: identity.certPem, key: identity.keyPem, maxVersion: 'TLSv1.2' }).on(
      'error',
      resolve,
    );
  });
  expect(String(error)).toMatch(/protocol version/);
});

test('a packet that claims more than 16 KiB ends the connection at its length, whatever its topic', async () => {
  const client = await aConnected();
  client.publish(own('telemetry'), Buffer.alloc(20_000)).catch(() => {});
  await client.closed();
  expect(taken).toEqual([]);
  expect(refused[0]).toMatchObject({ gateway: 'gw-tokyo-0001', why: 'packet-too-large' });
});

test('the retained notice is there before the first gateway connects, and a newer one takes its place', async () => {
  await broker.stop();
  retained.set(identity.gateway, Buffer.from('notice 7'));
  port = await broker.start(duties);
  const client = await aConnected();
  await client.subscribe({ [own('notice')]: { qos: 1 }, [own('ack')]: { qos: 0 } });
  expect(await client.hears(own('notice'))).toMatchObject({ payload: Buffer.from('notice 7'), retain: true });

  broker.publishNotice(identity.gateway, Buffer.from('notice 8'));
  await client.hears(own('notice'), (payload) => payload.toString() === 'notice 8');

  const later = await aConnected({ clean: true });
  await later.subscribe({ [own('notice')]: { qos: 1 } });
  expect((await later.hears(own('notice'))).payload.toString()).toBe('notice 8');
}, 20_000);

test('of the notices published while a gateway with a session was away, it gets the last one only, without subscribing again', async () => {
  const first = await aConnected({ clean: false });
  await first.subscribe({ [own('notice')]: { qos: 1 }, [own('ack')]: { qos: 0 } });
  await first.end();
  for (const number of [1, 2, 3]) broker.publishNotice(identity.gateway, Buffer.from(`notice ${number}`));
  broker.publishAck(identity.gateway, Buffer.from('ack'));

  const again = await aConnected({ clean: false });
  expect((await again.hears(own('notice'))).payload.toString()).toBe('notice 3');
  await again.publish(own('report'), 'after');
  expect(again.heard.map(({ payload }) => payload.toString())).toEqual(['notice 3']);
});

test('the last will of a lost gateway is heard; the one of a gateway that said goodbye is not', async () => {
  const will = { topic: own('presence'), payload: Buffer.from('{"v":1,"online":false}'), qos: 1 as const, retain: true };
  const polite = await aConnected({ will });
  await polite.end();
  const lost = await aConnected({ will });
  await lost.breakOff();
  await expect.poll(() => taken.map(({ payload }) => payload.toString())).toEqual(['{"v":1,"online":false}']);
  await expect.poll(() => gone.length).toBe(2);
});

test('a second connection of the same gateway takes over, and the first one ends', async () => {
  const first = await aConnected();
  const second = await aConnected();
  await first.closed();
  await second.publish(own('report'), 'still here');
  expect(taken).toHaveLength(1);
});

test('a connection that is cut off ends at once', async () => {
  const client = await aConnected();
  broker.cutOff(identity.gateway);
  await client.closed();
});

test('PUBACK comes only after the server has taken the report', async () => {
  const gate = { open: () => {} };
  holdMessages = new Promise((resolve) => {
    gate.open = () => resolve();
  });
  const client = await aConnected();
  let isAcknowledged = false;
  const published = client.publish(own('report'), 'x').then(() => {
    isAcknowledged = true;
  });
  // A ping travels the same way and back: an early PUBACK would have arrived before its answer.
  client.client.sendPing();
  await new Promise<void>((resolve) => client.client.on('packetreceive', (packet) => packet.cmd === 'pingresp' && resolve()));
  expect(isAcknowledged).toBe(false);
  gate.open();
  await published;
  expect(taken).toHaveLength(1);
});

test('rubbish on the wire ends that connection and nothing else', async () => {
  const healthy = await aConnected({}, stranger);
  const socket = tlsConnect({ host: '127.0.0.1', port, ca: serverCa.certPem, cert: identity.certPem, key: identity.keyPem });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()));
  socket.write(randomBytes(8_000));
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await healthy.publish(others('report'), 'x');
  expect(taken).toHaveLength(1);
});

test('a broker that dies is started again on the same port with every retained notice, and says so', async () => {
  const client = await aConnected();
  retained.set(identity.gateway, Buffer.from('notice 9'));
  const dead = worker;
  await worker.terminate();
  await client.closed();
  await expect.poll(() => worker !== dead, { timeout: 5_000 }).toBe(true);
  const again = await vi.waitFor(() => aConnected(), { timeout: 5_000 });
  await again.subscribe({ [own('notice')]: { qos: 1 } });
  expect((await again.hears(own('notice'))).payload.toString()).toBe('notice 9');
}, 20_000);

test('a port that is in use is said at the start, and not tried for ever', async () => {
  const second = makeBroker({
    settings: {
      listen: { host: '127.0.0.1', port },
      tls: { ...(await tlsOf(serverCa)), clientCas: [deviceCa.certPem] },
      maxKeepaliveS: 1800,
      maxConnections: 10,
    },
    clock,
    log,
    workerFile: await brokerWorkerFile(),
  });
  await expect(second.start(duties)).rejects.toThrow(/EADDRINUSE/);
});

async function tlsOf(authority: Authority): Promise<{ key: string; cert: string }> {
  const { keyPem, certPem } = await aServerIdentity(authority);
  return { key: keyPem, cert: certPem };
}

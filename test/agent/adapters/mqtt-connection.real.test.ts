import { createServer, type Server } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { makeOpenControlConnection } from '../../../agent/adapters/mqtt-connection.ts';
import type { ConnectionEnd, ConnectionHandlers, ControlConnection } from '../../../agent/ports/network.ts';
import type { Identity, Purpose } from '../../../agent/ports.ts';
import { pingAnswerMs } from '../../../agent/rules/keepalive.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import type { Authority } from '../../../server/ports.ts';
import { anAuthority, anIdentity } from '../../support/gateway-pki.ts';
import { aManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { aBroker, type TestBroker } from '../../support/test-broker.ts';
import { until } from '../../support/until.ts';

let authorities: { server: Authority; device: Authority };
let stranger: Authority;
let broker: TestBroker;
let own: Awaited<ReturnType<typeof anIdentity>>;
let clock: ManualClock;
let open: ControlConnection[];

beforeAll(async () => {
  authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  stranger = await anAuthority('stranger CA');
  own = await anIdentity(authorities.device, 'gw-0001');
});
beforeEach(async () => {
  broker = await aBroker(authorities);
  clock = aManualClock();
  open = [];
});
afterEach(async () => {
  for (const connection of open) {
    const closing = connection.close();
    await clock.advanceMs(2_000);
    await closing;
  }
  await broker.stop();
});

type Seen = {
  connection: ControlConnection;
  charged: Record<Purpose, number>;
  notices: string[];
  acks: string[];
  ends: ConnectionEnd[];
  online: () => boolean;
  answers: () => number;
};

function connect({
  identity = {},
  keepaliveS = 1_680,
  mustSubscribe = true,
  forgetSession = false,
  onNotice = async () => {},
}: {
  identity?: Partial<Identity>;
  keepaliveS?: number;
  mustSubscribe?: boolean;
  forgetSession?: boolean;
  onNotice?: (envelope: Buffer) => Promise<void>;
} = {}): Seen {
  const charged: Seen['charged'] = { connect: 0, keepalive: 0, notice: 0, report: 0, telemetry: 0, fetch: 0, retry: 0 };
  const seen = { notices: [] as string[], acks: [] as string[], ends: [] as ConnectionEnd[] };
  let isOnline = false;
  let answers = 0;
  const handlers: ConnectionHandlers = {
    onOnline: () => {
      isOnline = true;
    },
    onAnswered: () => {
      answers += 1;
    },
    onNotice: async (envelope) => {
      seen.notices.push(envelope.toString());
      await onNotice(envelope);
    },
    onAck: (message) => void seen.acks.push(message.toString()),
    onEnd: (end) => void seen.ends.push(end),
  };
  const connection = makeOpenControlConnection({
    clock,
    wireModel,
    networkFaultOf,
    answerMs: pingAnswerMs,
    ledger: {
      charge: (purpose, bytes) => {
        charged[purpose] += bytes;
      },
      chargePackage: () => {},
      month: () => ({ totalBytes: 0, byPurpose: charged }),
    },
  })(
    {
      identity: {
        gateway: own.gateway,
        https: 'https://127.0.0.1:1',
        mqtt: `mqtts://127.0.0.1:${broker.port}`,
        serverCasPem: [authorities.server.certPem],
        privateKeyPem: own.keyPem,
        certificatePem: own.certPem,
        ...identity,
      },
      keepaliveS,
      birth: Buffer.from('{"birth":true}'),
      mustSubscribe,
      forgetSession,
    },
    handlers,
  );
  open.push(connection);
  return { connection, charged, ...seen, online: () => isOnline, answers: () => answers };
}

const cameOnline = (seen: Seen) => until(seen.online, 'online');
const ended = (seen: Seen) => until(() => seen.ends[0], 'the end of the connection');
const receivedBirths = () => broker.received.filter(({ topic }) => topic === 'tsugite/1/gw-0001/presence');

describe('coming online', () => {
  test('it publishes its birth retained, and subscribes to its notices and acknowledgements only', async () => {
    await cameOnline(connect());
    await until(() => receivedBirths().length === 1, 'birth');
    expect(receivedBirths()).toEqual([{ topic: 'tsugite/1/gw-0001/presence', payload: '{"birth":true}', qos: 1, retain: true }]);
    expect(broker.subscriptions).toEqual([['tsugite/1/gw-0001/notice', 'tsugite/1/gw-0001/ack']]);
  });

  test('a session that is to be forgotten is: the broker is subscribed to anew', async () => {
    const first = connect();
    await cameOnline(first);
    await first.connection.close();
    await cameOnline(connect({ mustSubscribe: false, forgetSession: true }));
    expect(broker.subscriptions.length).toBe(2);
  });

  test('it subscribes again only when the broker has lost the session', async () => {
    const first = connect();
    await cameOnline(first);
    await first.connection.close();
    await cameOnline(connect({ mustSubscribe: false }));
    expect(broker.subscriptions.length).toBe(1);
    await broker.stop();
    broker = await aBroker(authorities);
    await cameOnline(connect({ mustSubscribe: false }));
    expect(broker.subscriptions.length).toBe(1);
  });

  test('a lost gateway leaves its last will, one that says good-bye leaves the same without being lost', async () => {
    const lost = connect();
    await cameOnline(lost);
    for (const socket of broker.sockets) socket.destroy();
    await ended(lost);
    await until(() => receivedBirths().some(({ payload, retain }) => payload === '{"v":1,"online":false}' && retain), 'last will');
    const polite = connect();
    await cameOnline(polite);
    await polite.connection.close();
    expect(polite.ends[0]?.kind).toBe('closed-by-us');
    expect(receivedBirths().map(({ payload }) => payload)).toEqual([
      '{"birth":true}',
      '{"v":1,"online":false}',
      '{"birth":true}',
      '{"v":1,"online":false}',
    ]);
  });
});

describe('what comes in', () => {
  test('a retained notice is handed over; a zero-length one and foreign topics are ignored', async () => {
    await broker.publish('tsugite/1/gw-0001/notice', 'notice 1', { retain: true });
    const seen = connect();
    await until(() => seen.notices.length === 1, 'notice');
    await broker.publish('tsugite/1/gw-0001/notice', '', { retain: true });
    await broker.publish('tsugite/1/gw-0001/ack', 'ack 1', { qos: 0 });
    await until(() => seen.acks.length === 1, 'ack');
    expect(seen.notices).toEqual(['notice 1']);
  });

  test('a notice that could not be taken is not acknowledged: the connection ends and the broker sends it again', async () => {
    const refusing = connect({ onNotice: () => Promise.reject(new Error('disk')) });
    await cameOnline(refusing);
    await broker.publish('tsugite/1/gw-0001/notice', 'notice 1');
    expect(await ended(refusing)).toMatchObject({ kind: 'failed', detail: { kind: 'notice-not-taken' } });
    const taking = connect({ mustSubscribe: false });
    await until(() => taking.notices.length === 1, 'the notice again');
    expect(taking.notices).toEqual(['notice 1']);
  });

  test('a packet above the cap ends the connection before its bytes are collected', async () => {
    const seen = connect();
    await cameOnline(seen);
    await broker.publish('tsugite/1/gw-0001/notice', Buffer.alloc(300_000, 'x'));
    expect(await ended(seen)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', detail: { limit: 131_584, actual: 300_032 } });
    expect(seen.notices).toEqual([]);
  });
});

describe('what goes out', () => {
  test('a report counts as published when the broker has acknowledged it', async () => {
    const seen = connect();
    await cameOnline(seen);
    await seen.connection.publish('report', Buffer.from('{"seq":1}'));
    expect(broker.received.at(-1)).toEqual({ topic: 'tsugite/1/gw-0001/report', payload: '{"seq":1}', qos: 1, retain: false });
  });

  test('a report under way when the connection ends is rejected, for the outbox to send again', async () => {
    const seen = connect();
    await cameOnline(seen);
    broker.fallSilent();
    const publishing = expect(seen.connection.publish('report', Buffer.from('{"seq":1}'))).rejects.toMatchObject({
      code: 'SERVER_UNREACHABLE',
    });
    await clock.advanceMs(30_000);
    await publishing;
    expect(await ended(seen)).toMatchObject({ kind: 'unanswered' });
  });
});

describe('keep-alive', () => {
  test('a ping goes out once per interval, and its answer is noticed', async () => {
    const seen = connect({ keepaliveS: 60 });
    await cameOnline(seen);
    await until(() => receivedBirths().length === 1, 'birth');
    for (let n = 1; n <= 3; n++) {
      await clock.advanceMs(60_000);
      await until(() => seen.answers() === n, `answer ${n}`);
    }
    expect(seen.ends).toEqual([]);
  });

  test('a ping without an answer closes the connection after 30 s', async () => {
    const seen = connect();
    await cameOnline(seen);
    await until(() => receivedBirths().length === 1, 'birth');
    broker.fallSilent();
    await clock.advanceMs(1_680_000 + 29_999);
    expect(seen.ends).toEqual([]);
    await clock.advanceMs(1);
    expect(await ended(seen)).toMatchObject({ kind: 'unanswered', code: 'SERVER_UNREACHABLE', detail: { afterMs: 30_000 } });
  });
});

describe('when it cannot connect, the code names the remedy', () => {
  let plain: Server | undefined;
  afterEach(() => void plain?.close());

  test('E403: nobody listens', async () => {
    expect(await ended(connect({ identity: { mqtt: 'mqtts://127.0.0.1:9' } }))).toMatchObject({
      code: 'SERVER_UNREACHABLE',
      detail: { kind: 'ECONNREFUSED' },
    });
  });
  test('E403: somebody listens and says nothing', async () => {
    plain = createServer().listen(0, '127.0.0.1');
    await until(() => plain?.listening, 'listening');
    const seen = connect({ identity: { mqtt: `mqtts://127.0.0.1:${(plain.address() as { port: number }).port}` } });
    await clock.advanceMs(30_000);
    expect(await ended(seen)).toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
  test('E403: a door takes the connection, and no server stands behind it', async () => {
    plain = createServer((socket) => void socket.on('error', () => {}).destroy()).listen(0, '127.0.0.1');
    await until(() => plain?.listening, 'listening');
    const seen = connect({ identity: { mqtt: `mqtts://127.0.0.1:${(plain.address() as { port: number }).port}` } });
    expect(await ended(seen)).toMatchObject({ code: 'SERVER_UNREACHABLE' });
  });
  test('E402: the name is unknown', async () => {
    expect(await ended(connect({ identity: { mqtt: 'mqtts://no-such-server.invalid:8883' } }))).toMatchObject({
      code: 'NET_NAME_UNRESOLVED',
    });
  });
  test('E404: the server shows a certificate of another CA', async () => {
    expect(await ended(connect({ identity: { serverCasPem: [stranger.certPem] } }))).toMatchObject({ code: 'TLS_FAILED' });
  });
  test('E404: the certificate is for another address', async () => {
    const elsewhere = await aBroker(authorities, { host: '127.0.0.2' });
    try {
      expect(await ended(connect({ identity: { mqtt: `mqtts://127.0.0.2:${elsewhere.port}` } }))).toMatchObject({
        code: 'TLS_FAILED',
        detail: { kind: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      });
    } finally {
      await elsewhere.stop();
    }
  });
  test('E404: the server does not know our certificate', async () => {
    const other = await anIdentity(stranger, 'gw-0001');
    const seen = connect({ identity: { privateKeyPem: other.keyPem, certificatePem: other.certPem } });
    expect(await ended(seen)).toMatchObject({ code: 'TLS_FAILED' });
    expect(seen.charged.connect).toBe(0);
    expect(seen.charged.retry).toBeGreaterThan(1_000);
  });
  test('E405: the broker refuses the gateway', async () => {
    broker.aedes.authenticate = (_client, _user, _password, done) => done(Object.assign(new Error('no'), { returnCode: 5 }), false);
    expect(await ended(connect())).toMatchObject({ code: 'MQTT_REFUSED', detail: { returnCode: 5 } });
  });
  test('E405: the broker refuses the notice topic', async () => {
    broker.aedes.authorizeSubscribe = (_client, subscription, done) =>
      done(null, subscription.topic.endsWith('/notice') ? null : subscription);
    expect(await ended(connect())).toMatchObject({ code: 'MQTT_REFUSED', detail: { kind: 'subscription' } });
  });
});

test('every byte is charged, to what it was for', async () => {
  const seen = connect({ keepaliveS: 60 });
  await cameOnline(seen);
  await until(() => receivedBirths().length === 1, 'birth');
  await seen.connection.publish('report', Buffer.alloc(300, 'r'));
  await broker.publish('tsugite/1/gw-0001/notice', Buffer.alloc(2_048, 'n'));
  await until(() => seen.notices.length === 1, 'notice');
  await broker.publish('tsugite/1/gw-0001/ack', Buffer.alloc(60, 'a'), { qos: 0 });
  await until(() => seen.acks.length === 1, 'ack');
  await seen.connection.publish('telemetry', Buffer.alloc(600, 't'));
  await clock.advanceMs(60_000);
  await until(() => seen.answers() === 1, 'pong');
  await seen.connection.close();
  const { read, written } = broker.rawBytes();
  const total = Object.values(seen.charged).reduce((sum, bytes) => sum + bytes, 0);
  expect(total).toBeGreaterThan(read + written);
  expect(seen.charged).toMatchObject({ fetch: 0, retry: 0 });
  // Exact, because the clock stands still: each message is one MQTT packet in one TLS record (22 more), and our acknowledgement of what came
  // last rides on what we send next. Only when the answer to the birth comes, before or after the report, is the broker's to choose.
  const [topicBytes, recordBytes, header] = ['tsugite/1/gw-0001/'.length, 22, 52];
  const publish = (topic: string, bytes: number, fixedBytes: number) => fixedBytes + 2 + topicBytes + topic.length + bytes + recordBytes;
  const puback = 4 + recordBytes;
  const [segment, ack, rode] = [header, header, -header];
  const answer = puback + segment + ack;
  expect(seen.charged.notice).toBe(publish('notice', 2_048, 5) + 2 * segment + ack + (puback + segment + ack + rode));
  expect(seen.charged.telemetry).toBe(publish('telemetry', 600, 5) + segment + rode + answer);
  const report = publish('report', 300, 5) + segment + rode + answer + (publish('ack', 60, 2) + segment + ack);
  expect(seen.charged.report).toBeGreaterThanOrEqual(report);
  expect(seen.charged.report).toBeLessThanOrEqual(report + answer);
  expect(seen.charged.keepalive).toBe(204);
});

import { describe, expect, test } from 'vitest';
import { makeStayConnected } from '../../../agent/flows/stay-connected.ts';
import type { ConnectionEnd, ConnectionHandlers, ConnectionRequest } from '../../../agent/ports/network.ts';
import type { Identity, LinkHandlers } from '../../../agent/ports.ts';
import { gatewayId } from '../../../protocol/fields.ts';
import { aManualClock } from '../../support/manual-clock.ts';

const identity: Identity = {
  gateway: gatewayId.parse('gw-0001'),
  https: 'https://server.example:8443',
  mqtt: 'mqtts://server.example:8883',
  serverCasPem: [],
  privateKeyPem: '',
  certificatePem: '',
};
const lost: ConnectionEnd = { kind: 'failed', code: 'SERVER_UNREACHABLE', detail: {} };
const silent: ConnectionEnd = { kind: 'unanswered', code: 'SERVER_UNREACHABLE', detail: {} };

function aLink({ fraction = 0.5, spentBytes = 0 } = {}) {
  const clock = aManualClock();
  const opened: { request: ConnectionRequest; handlers: ConnectionHandlers; sent: string[] }[] = [];
  const told: string[] = [];
  const link = makeStayConnected({
    clock,
    random: { fraction: () => fraction, hex: () => '', id: () => '' as never },
    identity: () => identity,
    spending: () => ({ spentBytes, monthElapsedMs: 0, monthLengthMs: 30 * 86_400_000, targetBytes: 3_000_000, ceilingReached: false }),
    open: (request, handlers) => {
      const connection = { request, handlers, sent: [] as string[] };
      opened.push(connection);
      return {
        publish: async (kind, message) => void connection.sent.push(`${kind} ${message}`),
        close: async () => handlers.onEnd({ kind: 'closed-by-us', code: 'SERVER_UNREACHABLE', detail: {} }),
      };
    },
  });
  const handlers: LinkHandlers = {
    birth: () => Buffer.from(`birth ${opened.length + 1}`),
    onOnline: () => void told.push('online'),
    onOffline: (code) => void told.push(`offline ${code}`),
    onNotice: async () => {},
    onAck: () => {},
  };
  const latest = () => opened.at(-1) as (typeof opened)[number];
  return { link, handlers, clock, opened, told, latest };
}

describe('reconnecting', () => {
  test('the first connection is opened at once, later ones after a growing wait', async () => {
    const { link, handlers, clock, opened, latest } = aLink();
    link.start(handlers);
    expect(opened.length).toBe(1);
    const waits: number[] = [];
    for (let n = 0; n < 5; n++) {
      latest().handlers.onEnd(lost);
      const before = opened.length;
      const from = clock.monotonicMs();
      while (opened.length === before) await clock.advanceMs(100);
      waits.push(clock.monotonicMs() - from);
    }
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
  });

  test('a connection that drops at once does not end a row of failures; one that held for a minute does', async () => {
    const { link, handlers, clock, opened, latest } = aLink();
    link.start(handlers);
    for (let n = 0; n < 4; n++) {
      latest().handlers.onOnline();
      latest().handlers.onEnd(lost);
      await clock.advanceMs(60_000);
    }
    latest().handlers.onEnd(lost);
    const count = opened.length;
    await clock.advanceMs(7_900);
    expect(opened.length).toBe(count);
    await clock.advanceMs(100);
    latest().handlers.onOnline();
    await clock.advanceMs(60_000);
    latest().handlers.onEnd(lost);
    await clock.advanceMs(500);
    expect(opened.length).toBe(count + 2);
  });

  test('when reconnecting has used up its bytes, the wait is set by the debt', async () => {
    const { link, handlers, clock, opened, latest } = aLink({ spentBytes: 900_000 });
    link.start(handlers);
    latest().handlers.onEnd(lost);
    await clock.advanceMs(59 * 60_000);
    expect(opened.length).toBe(1);
    await clock.advanceMs(5 * 60_000);
    expect(opened.length).toBe(2);
  });

  test('the same failure is told once, another one again', async () => {
    const { link, handlers, clock, told, latest } = aLink();
    link.start(handlers);
    for (const code of ['SERVER_UNREACHABLE', 'SERVER_UNREACHABLE', 'NET_NO_ROUTE', 'NET_NO_ROUTE'] as const) {
      latest().handlers.onEnd({ ...lost, code });
      await clock.advanceMs(60_000);
    }
    latest().handlers.onOnline();
    latest().handlers.onEnd({ ...lost, code: 'NET_NO_ROUTE' });
    expect(told).toEqual(['offline SERVER_UNREACHABLE', 'offline NET_NO_ROUTE', 'online', 'offline NET_NO_ROUTE']);
  });
});

test('it subscribes by itself until it was online once; then the broker says when it must', async () => {
  const { link, handlers, clock, opened, latest } = aLink();
  link.start(handlers);
  latest().handlers.onEnd(lost);
  await clock.advanceMs(60_000);
  latest().handlers.onOnline();
  latest().handlers.onEnd(lost);
  await clock.advanceMs(60_000);
  expect(opened.map(({ request }) => request.mustSubscribe)).toEqual([true, true, false]);
});

test('after a message that it cannot take, the next connection forgets the session that would send it again; then no more', async () => {
  const { link, handlers, clock, opened, latest } = aLink();
  link.start(handlers);
  for (const code of ['SERVER_UNREACHABLE', 'MESSAGE_TOO_LARGE', 'SERVER_UNREACHABLE'] as const) {
    latest().handlers.onOnline();
    latest().handlers.onEnd({ ...lost, code });
    await clock.advanceMs(60_000);
  }
  expect(opened.map(({ request }) => request.forgetSession)).toEqual([false, false, true, false]);
});

test('each connection has a birth message of its own', async () => {
  const { link, handlers, clock, opened, latest } = aLink();
  link.start(handlers);
  latest().handlers.onEnd(lost);
  await clock.advanceMs(60_000);
  expect(opened.map(({ request }) => String(request.birth))).toEqual(['birth 1', 'birth 2']);
});

describe('keep-alive', () => {
  test('after two deaths in a row with the link up the next connection asks for half the interval', async () => {
    const { link, handlers, clock, opened, latest } = aLink();
    link.start(handlers);
    for (let n = 0; n < 2; n++) {
      latest().handlers.onOnline();
      await clock.advanceMs(1_700_000);
      latest().handlers.onEnd(silent);
      await clock.advanceMs(2_000);
    }
    latest().handlers.onOnline();
    await clock.advanceMs(5_000);
    expect(opened.map(({ request }) => request.keepaliveS)).toEqual([1_680, 1_680, 1_680, 840]);
  });

  test('another interval from the server is applied by a new connection, after the notice could be acknowledged', async () => {
    const { link, handlers, clock, opened, told, latest } = aLink();
    link.start(handlers);
    latest().handlers.onOnline();
    link.setKeepaliveS(600);
    await clock.advanceMs(4_900);
    expect(opened.length).toBe(1);
    await clock.advanceMs(100);
    expect(opened.map(({ request }) => request.keepaliveS)).toEqual([1_680, 600]);
    expect(told).toEqual(['online']);
  });

  test('the interval that is already in force costs no reconnect', async () => {
    const { link, handlers, clock, opened, latest } = aLink();
    link.start(handlers);
    latest().handlers.onOnline();
    link.setKeepaliveS(1_680);
    await clock.advanceMs(100_000);
    expect(opened.length).toBe(1);
  });
});

test('a report is refused while offline, so the outbox keeps it', async () => {
  const { link, handlers, latest } = aLink();
  link.start(handlers);
  await expect(link.publishReport(Buffer.from('1'))).rejects.toMatchObject({ code: 'SERVER_UNREACHABLE' });
  latest().handlers.onOnline();
  await link.publishReport(Buffer.from('1'));
  expect(latest().sent).toEqual(['report 1']);
});

test('after a stop nothing is opened again and no timer is left', async () => {
  const { link, handlers, clock, opened, latest } = aLink();
  link.start(handlers);
  latest().handlers.onOnline();
  await link.stop();
  await clock.advanceMs(86_400_000);
  expect(opened.length).toBe(1);
  expect(clock.pending()).toBe(0);
});

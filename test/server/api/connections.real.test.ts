/** Slow, many and broken connections: none of them holds the API up, and an upload is never in memory. */
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { aPeopleSide, type PeopleSideRig } from '../../support/people-side.ts';

const patience = { headersMs: 300, bodyMs: 300, uploadMs: 3_000, lingerMs: 200, checkMs: 50, connections: 20, fromOneAddress: 8 };
let rig: PeopleSideRig;
let port: number;
let bearer: string;
beforeAll(async () => {
  rig = await aPeopleSide({ patience });
  port = Number(new URL(await rig.app.listen({ host: '127.0.0.1', port: 0 })).port);
  bearer = await rig.bearerOf('operator');
});
afterAll(() => rig.stop());

type Caller = { socket: Socket; said: () => string; closed: Promise<void> };
function aCaller(text = ''): Promise<Caller> {
  return new Promise((resolve) => {
    let said = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(text);
      resolve({ socket, said: () => said, closed });
    });
    const closed = new Promise<void>((close) => socket.once('close', () => close()));
    socket.on('data', (bytes) => {
      said += bytes.toString();
    });
    socket.on('error', () => {});
  });
}

const head = (line: string, more = '') => `${line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${bearer}\r\n${more}\r\n`;
const connections = () => new Promise<number>((resolve) => rig.app.server.getConnections((_, count) => resolve(count)));
const asks = async () => (await fetch(`http://127.0.0.1:${port}/api/v1/health`, { headers: { connection: 'close' } })).status;

/** Sends bytes as an upload, in chunks of its own, until the server answers or closes. */
function upload(bytes: number, { token = bearer, chunk = 256 * 1024, pauseMs = 0, cutAt = Number.POSITIVE_INFINITY } = {}) {
  return new Promise<{ status: number; body: string; sent: number }>((resolve) => {
    let sent = 0;
    const sending = request({
      ...{ port, host: '127.0.0.1', method: 'POST', path: '/api/v1/releases', agent: false },
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', 'content-length': bytes },
    });
    let isOver = false;
    const over = (status: number, body: string) => {
      isOver = true;
      resolve({ status, body, sent });
      sending.destroy();
    };
    sending.on('response', (response) => {
      let body = '';
      response.on('data', (part) => {
        body += part;
      });
      response.on('end', () => over(response.statusCode ?? 0, body));
    });
    sending.on('error', () => over(0, ''));
    sending.setMaxListeners(0);
    const next = async (): Promise<void> => {
      while (!isOver && sent < bytes) {
        if (sent >= cutAt) return over(0, 'cut');
        const size = Math.min(chunk, bytes - sent);
        sent += size;
        if (!sending.write(Buffer.alloc(size, 7))) await new Promise((drained) => sending.once('drain', drained).once('close', drained));
        if (pauseMs > 0) await wait(pauseMs);
      }
      sending.end();
    };
    next().catch(() => over(0, 'broken'));
  });
}

describe('a caller that dribbles', () => {
  test('its headers is cut off, with our number', async () => {
    const caller = await aCaller('GET /api/v1/health HTTP/1.1\r\nhost: x\r\n');
    const dribble = setInterval(() => caller.socket.write('x-a: b\r\n'), 40);
    await caller.closed;
    clearInterval(dribble);
    expect(caller.said()).toMatch(/^HTTP\/1\.1 408 /);
    expect(caller.said()).toContain('"number":"E932"');
  });

  test('a JSON body is cut off long before an upload would be', async () => {
    const caller = await aCaller(head('POST /api/v1/tokens', 'content-type: application/json\r\ncontent-length: 1000\r\n'));
    const dribble = setInterval(() => caller.socket.write(' '), 40);
    const from = Date.now();
    await caller.closed;
    clearInterval(dribble);
    expect(Date.now() - from).toBeLessThan(patience.uploadMs);
    expect(await asks()).toBe(200);
  });

  test('an upload has its own time, and leaves nothing when that is over', async () => {
    const { status } = await upload(20_000_000, { chunk: 1_000, pauseMs: 20 });
    expect(status === 0 || status === 408).toBe(true);
    await vi.waitFor(() => expect(rig.uploads()).toEqual([]));
  }, 15_000);
});

test('one address holds no more than its share of the connections, and gets it back when it lets go', async () => {
  const callers: Caller[] = [];
  for (let index = 0; index < patience.fromOneAddress; index += 1) callers.push(await aCaller('GET /'));
  const late = await aCaller(head('GET /api/v1/health'));
  await late.closed;
  expect(late.said()).toBe('');
  for (const { socket } of callers) socket.destroy();
  await vi.waitFor(async () => expect(await asks()).toBe(200));
});

test('a proxy of ours is many callers: its address has no share', async () => {
  const behind = await aPeopleSide({ patience, trustedProxies: ['127.0.0.0/8'] });
  try {
    const { port: own } = new URL(await behind.app.listen({ host: '127.0.0.1', port: 0 }));
    const sockets = await Promise.all(
      Array.from(
        { length: patience.fromOneAddress + 2 },
        () =>
          new Promise<Socket>((open) => {
            const socket = connect(Number(own), '127.0.0.1', () => open(socket));
          }),
      ),
    );
    expect((await fetch(`http://127.0.0.1:${own}/api/v1/health`, { headers: { connection: 'close' } })).status).toBe(200);
    expect(sockets.filter(({ destroyed }) => destroyed)).toEqual([]);
    for (const socket of sockets) socket.destroy();
  } finally {
    await behind.stop();
  }
});

describe('an upload', () => {
  test('of somebody unknown is answered before it is sent, and none of it is kept', async () => {
    const { status, sent } = await upload(24_000_000, { token: `tsugite_${'a'.repeat(26)}`, pauseMs: 1 });
    expect([status, sent < 24_000_000]).toEqual([401, true]);
    expect(rig.uploads()).toEqual([]);
  });

  test('is cut at 25 MB, whatever length it claims', async () => {
    const { status, body, sent } = await upload(200_000_000);
    expect([status, JSON.parse(body)]).toMatchObject([422, { number: 'E302', context: { limit: 25_000_000 } }]);
    expect(sent).toBeLessThan(100_000_000);
    expect(rig.uploads()).toEqual([]);
    await vi.waitFor(async () => expect(await connections()).toBe(0));
  });

  test('whose connection breaks leaves nothing', async () => {
    await upload(20_000_000, { cutAt: 5_000_000, chunk: 100_000, pauseMs: 1 });
    await vi.waitFor(() => expect(rig.uploads()).toEqual([]));
    expect(rig.packageFiles()).toEqual([]);
    expect(rig.lines.filter(({ event }) => event === 'api.fault')).toEqual([]);
  });
});

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openAppSocket, requestApp } from '../../../agent/adapters/app-socket.ts';
import { type GatewaySocket, openGatewaySocket } from '../../../agent/adapters/gateway-socket.ts';
import type { AppSpec, Clock } from '../../../agent/ports.ts';
import { TsugiteError } from '../../../protocol/errors.ts';

let folder: string;
let socket: GatewaySocket;
let nowMs: number;
let readyCount: number;
let samples: Record<string, number>[];
let refusal: TsugiteError | undefined;
const clock: Clock = { wallMs: () => nowMs, monotonicMs: () => nowMs, after: () => () => {} };
const anApp = (telemetry: boolean) =>
  ({
    target: 'target0000000000',
    software: 'demo.test',
    version: '1.0.0',
    model: 'PR-500KI',
    limits: { memoryBytes: 1 },
    permissions: { lan: [], wan: [], telemetry },
    socketsDir: join(folder, 'sockets'),
  }) as unknown as AppSpec;
const settingsPath = () => join(folder, 'settings.json');
const open = (telemetry = true) =>
  openGatewaySocket(anApp(telemetry), settingsPath(), clock, {
    onReady: () => {
      readyCount += 1;
    },
    onTelemetry: (numbers) => {
      if (refusal !== undefined) throw refusal;
      samples.push(numbers);
    },
  });

beforeEach(async () => {
  // Deep on purpose: a unix socket path holds 107 bytes.
  folder = join(mkdtempSync(join(tmpdir(), 'gateway-socket-')), 'a-folder-name-of-some-length'.repeat(4));
  mkdirSync(join(folder, 'sockets'), { recursive: true });
  [nowMs, readyCount, samples, refusal] = [0, 0, [], undefined];
  socket = await open();
});
afterEach(async () => {
  await socket.close();
  rmSync(join(folder, '..'), { recursive: true });
});

function ask(method: string, path: string, body?: string | Buffer, headers = {}): Promise<{ status: number; text: string }> {
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = requestApp(join(folder, 'sockets', 'gateway.sock'), { method, path, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

test('any uid may connect, since the folder decides who sees the socket', () => {
  expect(statSync(join(folder, 'sockets', 'gateway.sock')).mode & 0o777).toBe(0o777);
});

test('an app says that it is ready', async () => {
  expect(await ask('POST', '/ready')).toEqual({ status: 204, text: '' });
  expect(readyCount).toBe(1);
});

test('an app learns where it runs, and nothing about the household', async () => {
  const { text } = await ask('GET', '/gateway');
  expect(Object.keys(JSON.parse(text))).toEqual(['v', 'model', 'software', 'version', 'limits', 'permissions']);
  expect(text).not.toContain('target0000000000');
});

describe('settings', () => {
  test('are an empty object at first, then what the app stored, also for the next start', async () => {
    expect((await ask('GET', '/settings')).text).toBe('{}');
    expect((await ask('PUT', '/settings', '{"room":"居間"}')).status).toBe(204);
    await socket.close();
    socket = await open();
    expect((await ask('GET', '/settings')).text).toBe('{"room":"居間"}');
  });

  test.each([
    ['not JSON', '{room}'],
    ['not UTF-8', Buffer.from([0x22, 0xff, 0x22])],
  ])('that are %s are refused, and the old ones stay', async (_, body) => {
    await ask('PUT', '/settings', '{"a":1}');
    const { status, text } = await ask('PUT', '/settings', body);
    expect([status, JSON.parse(text).code]).toEqual([400, 'MESSAGE_MALFORMED']);
    expect(readFileSync(settingsPath(), 'utf8')).toBe('{"a":1}');
  });

  test('above 64 KiB are refused by their announced and by their real length', async () => {
    const big = JSON.stringify('x'.repeat(64 * 1024));
    expect((await ask('PUT', '/settings', big)).status).toBe(413);
    expect((await ask('PUT', '/settings', big, { 'transfer-encoding': 'chunked' })).status).toBe(413);
    expect(existsSync(settingsPath())).toBe(false);
  });

  test('are written at most 30 times a minute', async () => {
    for (let i = 0; i < 30; i++) expect((await ask('PUT', '/settings', '{}')).status).toBe(204);
    expect((await ask('PUT', '/settings', '{}')).status).toBe(429);
    nowMs += 60_000;
    expect((await ask('PUT', '/settings', '{}')).status).toBe(204);
    expect(readdirSync(folder).sort()).toEqual(['settings.json', 'sockets']); // no temporary file stays
  });
});

describe('telemetry', () => {
  test('of an app that may send it is taken', async () => {
    expect((await ask('POST', '/telemetry', '{"devices":3}')).status).toBe(202);
    expect(samples).toEqual([{ devices: 3 }]);
  });

  test('of another app is refused with the permission that it lacks', async () => {
    await socket.close();
    socket = await open(false);
    const { status, text } = await ask('POST', '/telemetry', '{"devices":3}');
    expect([status, JSON.parse(text).number]).toEqual([403, 'E603']);
    expect(samples).toEqual([]);
  });

  test.each([
    '[1]',
    '"text"',
    'null',
    '',
    '{"room":"居間"}',
    '{"heat":21.5}',
    '{"devices":{"lamp":1}}',
    '{"Yamada Taro":1}',
    JSON.stringify(Object.fromEntries(Array.from({ length: 17 }, (_, at) => [`name${at}`, at]))),
  ])('that is anything else than a few whole numbers is refused, and nothing of it is kept: %s', async (body) => {
    const { status, text } = await ask('POST', '/telemetry', body);
    expect([status, JSON.parse(text).number]).toEqual([400, 'E415']);
    expect(samples).toEqual([]);
  });

  test('that the agent does not take is answered with its reason, not with a yes', async () => {
    refusal = new TsugiteError('APP_PERMISSION_DENIED', { kind: 'telemetry-off' });
    const { status, text } = await ask('POST', '/telemetry', '{"devices":3}');
    expect([status, JSON.parse(text).ja]).toEqual([403, '運用者が動作状況の送信を停止しています。']);
  });
});

test('an unknown path is a 404 with a code', async () => {
  expect(JSON.parse((await ask('GET', '/../etc/shadow')).text)).toMatchObject({ code: 'NOT_FOUND' });
});

test('more connections than 16 are closed at once, and the others still work', async () => {
  const pinned = openAppSocket(join(folder, 'sockets', 'gateway.sock'));
  const idle = Array.from({ length: 40 }, () => connect(pinned.path).on('error', () => {}));
  await Promise.all(idle.slice(16).map((one) => new Promise((resolve) => one.once('close', resolve))));
  for (const one of idle) one.destroy();
  await Promise.all(idle.map((one) => (one.closed ? undefined : new Promise((resolve) => one.once('close', resolve)))));
  pinned.close();
  await expect.poll(() => ask('POST', '/ready').then(({ status }) => status)).toBe(204);
});

test('a link to another socket is not followed, and a file is no socket', async () => {
  const elsewhere = join(tmpdir(), `other-${process.pid}.sock`);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(elsewhere, resolve));
  symlinkSync(elsewhere, join(folder, 'link.sock'));
  expect(() => openAppSocket(join(folder, 'link.sock'))).toThrow('is not a socket');
  expect(() => openAppSocket(folder)).toThrow('is not a socket');
  expect(() => openAppSocket(join(folder, 'nothing'))).toThrow('ENOENT');
  await new Promise((resolve) => other.close(resolve));
});

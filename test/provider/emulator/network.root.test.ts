import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Emulator, startEmulator, wanAddress } from '../../../provider/emulator/index.ts';

const ours = () => (existsSync('/run/netns') ? readdirSync('/run/netns').filter((name) => name.startsWith(`tsugite-${process.pid}-`)) : []);
// Never synchronous: this process itself passes the connections on.
const inside = async (namespace: string, script: string) =>
  (await promisify(execFile)('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', script], { timeout: 10_000 })).stdout;

const wanAddressScript = `console.log(require('os').networkInterfaces().wan[0].address)`;

let folder: string;
let server: Server;
let emulator: Emulator;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-emulator-'));
  server = createServer((socket) => socket.end('the real server'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  emulator = await startEmulator({ ports: new Map([[8443, { host: '127.0.0.1', port }]]) });
});

afterEach(async () => {
  await emulator.stop();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

test('a gateway reaches the server on the host through its own WAN line', async () => {
  const gateway = await emulator.addGateway({ gateway: 'gw-0001', model: 'PR-400KI' as never, dataDir: `${folder}/gw-0001` });

  const answer = await inside(gateway.namespace, `require('net').connect(8443, '${wanAddress}').pipe(process.stdout)`);

  expect(answer).toBe('the real server');
});

test('the host sees the page that only listens inside the gateway', async () => {
  const gateway = await emulator.addGateway({ gateway: 'gw-0001', model: 'PR-400KI' as never, dataDir: `${folder}/gw-0001` });
  const page = spawn('nsenter', [
    `--net=/run/netns/${gateway.namespace}`,
    process.execPath,
    '-e',
    `require('http').createServer((q, r) => r.end('page of ' + q.headers.host)).listen(8888, '127.0.0.1', () => console.log('up'))`,
  ]);
  await new Promise((resolve) => page.stdout.once('data', resolve));

  const response = await fetch(`${gateway.pageUrl}/t/`);

  expect(await response.text()).toBe(`page of ${new URL(gateway.pageUrl).host}`);
  page.kill('SIGKILL');
});

test('two gateways have lines and addresses of their own', async () => {
  const one = await emulator.addGateway({ gateway: 'gw-0001', model: 'PR-400KI' as never, dataDir: `${folder}/gw-0001` });
  const other = await emulator.addGateway({ gateway: 'gw-0002', model: 'RT-500MI' as never, dataDir: `${folder}/gw-0002` });

  expect((await inside(one.namespace, wanAddressScript)).trim()).toBe('198.18.0.2');
  expect((await inside(other.namespace, wanAddressScript)).trim()).toBe('198.18.0.3');
  expect(one.pageUrl).not.toBe(other.pageUrl);
});

test('nothing stays behind when the emulator stops', async () => {
  await emulator.addGateway({ gateway: 'gw-0001', model: 'PR-400KI' as never, dataDir: `${folder}/gw-0001` });
  expect(ours()).toHaveLength(2);

  await emulator.stop();

  expect(ours()).toEqual([]);
});

test('what a killed emulator left is removed by the next one', async () => {
  const ended = spawn('true');
  await new Promise((resolve) => ended.once('exit', resolve));
  const abandoned = `tsugite-${ended.pid}-wan`;
  execFileSync('ip', ['netns', 'add', abandoned]);
  await emulator.stop();

  emulator = await startEmulator({ ports: new Map() });

  expect(existsSync(`/run/netns/${abandoned}`)).toBe(false);
});

/**
 * A gateway in the kernel, as the emulator makes it: WAN line, home bridge, a firewall that drops what it forwards unless it is the home's way out,
 * a page, a device of the home, and an agent's sandbox inside.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import type { AppNetworkNews } from '../../agent/ports.ts';
import { attachHomeDevice, type HomeDevice } from '../../provider/emulator/home-device.ts';
import { makeGatewayNamespace, makeWanNamespace, namespacePath, removeNamespace } from '../../provider/emulator/namespaces.ts';
import type { AtHomeRequest } from './agent-at-home.ts';

export const deviceAddress = '192.168.1.20';

/** Answers "echo …" at UDP 3610 (also to the group) and 3611 and at TCP 80; tells what came; sends what it is told: `{from, port, to, text}`. */
const deviceProgram = `
const dgram = require('node:dgram'), net = require('node:net'), readline = require('node:readline');
const tell = (event) => console.log(JSON.stringify(event));
const sockets = {};
const open = (port, address) => new Promise((resolve) => {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: true });
  socket.on('message', (bytes, from) => {
    if (from.address === '${deviceAddress}') return;
    tell({ at: port, address, from: from.address, port: from.port, text: String(bytes) });
    if (!String(bytes).startsWith('echo')) sockets[port].send('echo ' + bytes, from.port, from.address);
  });
  socket.bind(port, address, () => resolve(socket));
});
(async () => {
  for (const port of [3610, 3611, 40000]) sockets[port] = await open(port, '${deviceAddress}');
  (await open(3610, '224.0.23.0')).addMembership('224.0.23.0', '${deviceAddress}');
  net.createServer((socket) => socket.on('error', () => {}).end('tcp 80')).listen(80, '${deviceAddress}', () => tell({ listening: true }));
  readline.createInterface({ input: process.stdin }).on('line', (line) => { const { from, port, to, text } = JSON.parse(line); sockets[from].send(text, port, to); });
})();
`;
const pageProgram = `require('node:http').createServer((q, r) => r.end('page')).listen(8888, '192.168.1.1', () => console.log('{}'))`;
const wanProgram = `require('node:net').createServer((s) => s.on('error', () => {}).end('wan')).listen(443, '198.18.0.1', () => console.log('{}'))`;

const firewall = `
table inet fw {
  chain forward { type filter hook forward priority 0; policy drop; ct state established,related accept; iifname "br-lan" oifname "wan" accept; }
  chain post { type nat hook postrouting priority 100; oifname "wan" masquerade; }
}
`;

export type DeviceEvent = { at: number; address: string; from: string; port: number; text: string };

let bundle: Promise<string> | undefined;
const bundled = () => {
  bundle ??= (async () => {
    const outfile = join(tmpdir(), `tsugite-at-home-${process.pid}.mjs`);
    const entryPoints = ['test/support/agent-at-home.ts'];
    await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
    return outfile;
  })();
  return bundle;
};

export async function aGatewayAtHome() {
  const program = await bundled();
  const wan = await makeWanNamespace();
  const gateway = await makeGatewayNamespace(wan, 'at-home', 2);
  const device = `${gateway}-device`;
  const children: ChildProcess[] = [];
  const inside = (namespace: string, ...command: string[]) =>
    execFileSync('nsenter', [`--net=${namespacePath(namespace)}`, '--', ...command], { encoding: 'utf8', timeout: 10_000 });
  const ip = (...args: string[]) => inside(gateway, 'ip', ...args);

  execFileSync('ip', ['netns', 'add', device]);
  ip('link', 'add', 'lan1', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', device);
  ip('link', 'set', 'lan1', 'master', 'br-lan', 'up');
  inside(device, 'ip', 'addr', 'add', `${deviceAddress}/24`, 'dev', 'eth0');
  inside(device, 'ip', 'link', 'set', 'eth0', 'up');
  inside(device, 'ip', 'route', 'add', 'default', 'via', '192.168.1.1');
  inside(gateway, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward');
  inside(gateway, 'nft', firewall);

  function run(namespace: string, ...args: string[]): ChildProcess {
    const child = spawn('nsenter', [`--net=${namespacePath(namespace)}`, process.execPath, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    children.push(child);
    return child;
  }
  const linesOf = (child: ChildProcess, onLine: (line: string) => void) =>
    void createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', onLine);
  async function listening(namespace: string, source: string, onLine: (line: string) => void = () => {}): Promise<ChildProcess> {
    const child = run(namespace, '-e', source);
    linesOf(child, onLine);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    return child;
  }
  const heard: DeviceEvent[] = [];
  const deviceProcess = await listening(device, deviceProgram, (line) => heard.push(JSON.parse(line)));
  await listening(gateway, pageProgram);
  await listening(wan, wanProgram);

  function anAgent() {
    const child = run(gateway, program, 'a0b1c2'); // the same data folder each time
    const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
    let last = 0;
    linesOf(child, (line) => {
      const { id, answer, error, detail } = JSON.parse(line);
      if (error === undefined) waiting.get(id)?.resolve(answer as never);
      else waiting.get(id)?.reject(Object.assign(new Error(error), { detail }));
    });
    const ask = <Value>(request: AtHomeRequest): Promise<Value> => {
      last += 1;
      const id = last;
      child.stdin?.write(`${JSON.stringify({ id, ...request })}\n`);
      return new Promise<Value>((resolve, reject) => waiting.set(id, { resolve, reject }));
    };
    return {
      child,
      ask,
      /** @param lan  granted; asked for as well unless said otherwise @param appDir  with main.js; else one that runs what it is asked to */
      async anApp(app: string, lan: readonly string[], { asked = lan, appDir }: { asked?: readonly string[]; appDir?: string } = {}) {
        const started = await ask<{ pid: number } & AppNetworkNews>({
          do: 'start',
          app,
          lan,
          asked,
          ...(appDir !== undefined && { appDir }),
        });
        return {
          ...started,
          /** Runs inside the sandbox; `return` gives the answer. */
          run: <Value>(code: string) => ask<Value>({ do: 'ask', app, code }),
          get: (method: string, path: string, body?: unknown) =>
            ask<string>({ do: 'get', app, path, method, ...(body !== undefined && { body: JSON.stringify(body) }) }),
          network: () => ask<AppNetworkNews>({ do: 'network', app }),
          stop: () => ask<null>({ do: 'stop', app }),
          /** As root, in the app's network namespace. */
          asRoot: (...command: string[]) =>
            execFileSync('nsenter', [`--net=/proc/${started.pid}/ns/net`, '--', ...command], { encoding: 'utf8', timeout: 10_000 }),
        };
      },
      async end() {
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.stdin?.end();
        await once(child, 'exit');
      },
    };
  }
  const devices: HomeDevice[] = [];
  const atEnd: (() => void)[] = [];
  const agents: ReturnType<typeof anAgent>[] = [];

  return {
    gateway,
    device,
    inside,
    heard,
    say: (message: { from: number; port: number; to: string; text: string }) => deviceProcess.stdin?.write(`${JSON.stringify(message)}\n`),
    /** @returns what the air conditioner itself says, and its remote control */
    async anAircon(address: string) {
      const control = join(tmpdir(), `tsugite-aircon-${process.pid}-${address}.sock`);
      const command = [process.execPath, 'fixtures/devices/aircon.js', '--address', address, '--control', control] as const;
      atEnd.push(() => rmSync(control, { force: true }));
      devices.push(await attachHomeDevice(gateway, { name: `d${address.split('.')[3]}`, address, command }));
      const ask = (method: string, path: string, body?: unknown) =>
        new Promise<string>((resolve, reject) => {
          const asked = request({ socketPath: control, method, path }, (answer) => {
            answer.toArray().then((chunks: Buffer[]) => resolve(Buffer.concat(chunks).toString()), reject);
          });
          asked.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body));
        });
      return {
        state: async () => JSON.parse(await ask('GET', '/state')) as { on: boolean; targetC: number },
        press: (keys: object) => ask('POST', '/press', keys),
      };
    },
    anAgent() {
      const agent = anAgent();
      agents.push(agent);
      return agent;
    },
    /** What of ours stands in the gateway's namespace. */
    ours: () => [
      ...[...ip('-o', 'link', 'show').matchAll(/^\d+: (tsg[^\s@:]+)/gm)].map(([, name]) => name),
      ...[...inside(gateway, 'nft', 'list', 'tables').matchAll(/^table (\w+ tsg\S+)$/gm)].map(([, name]) => name),
    ],
    async end() {
      for (const agent of agents) await agent.end();
      for (const child of children) child.kill('SIGKILL');
      for (const device of devices) device.remove();
      for (const job of atEnd) job();
      for (const name of [device, gateway, wan]) removeNamespace(name);
    },
  };
}

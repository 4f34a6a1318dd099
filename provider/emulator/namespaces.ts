/**
 * The networks of emulated gateways, made of Linux network namespaces: one for the carrier's side (WAN), where the distribution server seems to
 * stand, and one for each gateway with its own WAN line and home bridge. Nothing is made in the host's own namespace.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import type { Server } from 'node:net';
import { promisify } from 'node:util';
import { programPath } from './programs.ts';

const run = promisify(execFile);
const ip = async (...args: string[]): Promise<void> => void (await run('ip', args, { timeout: 10_000 }));

/** Emulated networks live in 198.18.0.0/15, which RFC 2544 §C.2.2 sets aside for tests: no real server has such an address. */
export const wanAddress = '198.18.0.1';
const wanPrefix = 24;
export const homeAddress = '192.168.1.1';

const namespacePattern = /^tsugite-(\d+)-/;
const namespaceFolder = '/run/netns';
export const namespacePath = (name: string): string => `${namespaceFolder}/${name}`;

/** Removes what an emulator left that could not clean up itself (killed, or the machine's power went). */
export function removeAbandonedNamespaces(): void {
  if (!existsSync(namespaceFolder)) return;
  for (const name of readdirSync(namespaceFolder)) {
    const owner = namespacePattern.exec(name)?.[1];
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) removeNamespace(name);
  }
}

/** Synchronous, so that it also works while the process is ending. */
export function removeNamespace(name: string): void {
  if (existsSync(namespacePath(name))) execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore', timeout: 10_000 });
}

export async function makeWanNamespace(): Promise<string> {
  const name = `tsugite-${process.pid}-wan`;
  await ip('netns', 'add', name);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  await ip('-n', name, 'link', 'add', 'wan', 'type', 'bridge');
  await ip('-n', name, 'addr', 'add', `${wanAddress}/${wanPrefix}`, 'dev', 'wan');
  await ip('-n', name, 'link', 'set', 'wan', 'up');
  return name;
}

/** @param line  2–250: which subscriber line of the carrier; also the last part of its WAN address */
export async function makeGatewayNamespace(wan: string, gateway: string, line: number): Promise<string> {
  const name = `tsugite-${process.pid}-${gateway}`;
  const carrierEnd = `line${line}`;
  await ip('netns', 'add', name);
  await ip('-n', name, 'link', 'set', 'lo', 'up');
  await ip('-n', wan, 'link', 'add', carrierEnd, 'type', 'veth', 'peer', 'name', 'wan', 'netns', name);
  await ip('-n', wan, 'link', 'set', carrierEnd, 'master', 'wan');
  await ip('-n', wan, 'link', 'set', carrierEnd, 'up');
  await ip('-n', name, 'addr', 'add', `198.18.0.${line}/${wanPrefix}`, 'dev', 'wan');
  await ip('-n', name, 'link', 'set', 'wan', 'up');
  await ip('-n', name, 'link', 'add', 'br-lan', 'type', 'bridge');
  await ip('-n', name, 'addr', 'add', `${homeAddress}/24`, 'dev', 'br-lan');
  await ip('-n', name, 'link', 'set', 'br-lan', 'up');
  await leaveBridgedFramesAlone(name);
  return name;
}

/** As gateways' firmware does: with the kernel's default, a firewall for what is forwarded would also judge what passes within the home. */
async function leaveBridgedFramesAlone(namespace: string): Promise<void> {
  const script = 'for file in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e "$file" ] || echo 0 > "$file"; done';
  await run('nsenter', [`--net=${namespacePath(namespace)}`, '--', 'sh', '-c', script], { timeout: 10_000 });
}

/** Opens listening sockets at the WAN address and brings them here, where each connection can be passed on to the real server. */
export function listenOnWan(wan: string, ports: readonly number[]): Promise<Map<number, Server>> {
  const child = spawn(
    'nsenter',
    [`--net=${namespacePath(wan)}`, process.execPath, programPath('inside'), 'listen', wanAddress, ...ports.map(String)],
    { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  );
  const servers = new Map<number, Server>();
  return new Promise((resolve, reject) => {
    child.on('message', (message: { port: number }, server) => servers.set(message.port, server as Server));
    child.on('error', reject);
    child.on('close', (status) =>
      status === 0 && servers.size === ports.length
        ? resolve(servers)
        : reject(new Error(`nothing listens at ${wanAddress} (status ${status})`)),
    );
  });
}

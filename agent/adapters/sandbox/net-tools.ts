/** iproute2, nftables and network namespaces, as the gateway's own programs. Everything runs in the agent's namespace unless another one is named. */

import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../../protocol/errors.ts';

const folders = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const timeoutMs = 10_000;
const maxOutputBytes = 256 * 1024;

/** @throws TsugiteError APP_LAN_UNAVAILABLE kind tools */
function pathOf(tool: string): string {
  const path = folders.map((folder) => join(folder, tool)).find(existsSync);
  if (path === undefined) throw new TsugiteError('APP_LAN_UNAVAILABLE', { kind: 'tools', missing: [tool] });
  return path;
}

/**
 * @param namespacePath  where it runs, the agent's own namespace when undefined
 * @returns what it wrote
 * @throws TsugiteError APP_LAN_UNAVAILABLE with the tool's own words
 */
async function run(tool: string, args: readonly string[], input: string, namespacePath?: string): Promise<string> {
  const own = [pathOf(tool), ...args];
  const command = namespacePath === undefined ? own : [pathOf('nsenter'), `--net=${namespacePath}`, '--', ...own];
  const child = spawn(command[0] as string, command.slice(1), { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs });
  const [said, complaint] = [collect(child.stdout), collect(child.stderr)];
  child.stdin.on('error', () => {}); // it ended before it read all: its status tells
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status === 0) return said();
  throw new TsugiteError('APP_LAN_UNAVAILABLE', {
    kind: 'refused',
    at: `${tool} ${args.join(' ')}`,
    said: complaint().trim().slice(0, 500),
  });
}

export const ip = (...args: string[]): Promise<string> => run('ip', args, '');
/** Stops at the first line that fails. */
export const ipBatch = async (lines: readonly string[], namespacePath?: string): Promise<void> =>
  void (await run('ip', ['-batch', '-'], `${lines.join('\n')}\n`, namespacePath));
export const nft = (args: readonly string[], namespacePath?: string): Promise<string> => run('nft', args, '', namespacePath);
/** The whole text or nothing of it. */
export const nftLoad = async (ruleset: string, namespacePath?: string): Promise<void> =>
  void (await run('nft', ['-f', '-'], ruleset, namespacePath));

export type NetNamespace = { readonly path: string; close(): void };

/**
 * A network namespace with nothing but its loopback, and without a name: it lives as long as this process holds it open or something runs in it, so that nothing of it can be
 * left behind, whatever ends the agent. It belongs to the gateway's user namespace: nobody in a sandbox has any power over it.
 */
export async function openNamespace(): Promise<NetNamespace> {
  const holder = spawn(pathOf('unshare'), ['--net', '--', pathOf('sh'), '-c', 'echo; read -r _'], {
    env: {},
    cwd: '/',
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: timeoutMs,
  });
  const ended = new Promise<void>((resolve) => holder.once('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      holder.once('error', reject);
      holder.once('close', (status) =>
        reject(new TsugiteError('APP_LAN_UNAVAILABLE', { kind: 'refused', at: `unshare --net: status ${status}` })),
      );
      holder.stdout.once('data', () => resolve());
    });
    const descriptor = openSync(`/proc/${holder.pid}/ns/net`, 'r');
    let isOpen = true;
    const namespace = {
      path: `/proc/${process.pid}/fd/${descriptor}`,
      close() {
        if (isOpen) closeSync(descriptor);
        isOpen = false; // the number may be another file's by now
      },
    };
    await ipBatch(['link set lo up'], namespace.path).catch((cause: unknown) => {
      namespace.close();
      throw cause;
    });
    return namespace;
  } finally {
    holder.stdin.on('error', () => {});
    holder.stdin.end();
    await ended;
  }
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxOutputBytes) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

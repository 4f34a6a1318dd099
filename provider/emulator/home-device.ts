/** An emulated device of the home: a program in a network namespace of its own, attached to the gateway's home bridge. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { namespacePath, removeNamespace } from './namespaces.ts';

const run = promisify(execFile);
const ip = async (...args: string[]): Promise<void> => void (await run('ip', args, { timeout: 10_000 }));

export type HomeDevice = {
  readonly name: string;
  readonly address: string;
  /** Also safe while the process is ending. */
  remove(): void;
};

export type HomeDeviceOptions = {
  /** Short: it names the namespace and the bridge's end of the cable. */
  name: string;
  /** In 192.168.1.0/24, outside of what the gateway gives to apps */
  address: string;
  command: readonly [string, ...string[]];
};

export async function attachHomeDevice(gatewayNamespace: string, { name, address, command }: HomeDeviceOptions): Promise<HomeDevice> {
  const namespace = `${gatewayNamespace}-${name}`;
  const cable = `dev-${name}`.slice(0, 15);
  await ip('netns', 'add', namespace);
  await ip('-n', namespace, 'link', 'set', 'lo', 'up');
  await ip('-n', gatewayNamespace, 'link', 'add', cable, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
  await ip('-n', gatewayNamespace, 'link', 'set', cable, 'master', 'br-lan');
  await ip('-n', gatewayNamespace, 'link', 'set', cable, 'up');
  await ip('-n', namespace, 'addr', 'add', `${address}/24`, 'dev', 'eth0');
  await ip('-n', namespace, 'link', 'set', 'eth0', 'up');
  await ip('-n', namespace, 'route', 'add', '224.0.0.0/4', 'dev', 'eth0');
  const device = await started(namespace, command);
  return {
    name,
    address,
    remove() {
      device.kill('SIGKILL');
      removeNamespace(namespace);
    },
  };
}

/** Resolves with its first line of output: the devices say when they listen. */
function started(namespace: string, command: readonly string[]): Promise<ChildProcess> {
  const child = spawn('nsenter', [`--net=${namespacePath(namespace)}`, 'setpriv', '--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => {
      child.stdout.resume();
      resolve(child);
    });
    child.once('error', reject);
    child.once('exit', (status) => reject(new Error(`${command.join(' ')} ended (status ${status})`)));
  });
}

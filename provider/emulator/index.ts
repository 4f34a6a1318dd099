/** Emulated gateways on one carrier network, with the way to a real distribution server on this machine. */
import type { Server } from 'node:net';
import { passOn } from './forward.ts';
import { type EmulatedGateway, type GatewayOptions, makeEmulatedGateway } from './gateway.ts';
import { listenOnWan, makeWanNamespace, removeAbandonedNamespaces, removeNamespace } from './namespaces.ts';

export { agentNode, type EmulatedGateway } from './gateway.ts';
export { wanAddress } from './namespaces.ts';

export type Emulator = {
  addGateway(options: Omit<GatewayOptions, 'wanNamespace' | 'line'>): Promise<EmulatedGateway>;
  stop(): Promise<void>;
};

/**
 * @param server  where the real server listens on the loopback, for each port that gateways call at the WAN address
 */
export async function startEmulator(server: { ports: ReadonlyMap<number, { host: string; port: number }> }): Promise<Emulator> {
  removeAbandonedNamespaces();
  const wan = await makeWanNamespace();
  const gateways: EmulatedGateway[] = [];
  let doors = new Map<number, Server>();
  const removeAll = (): void => {
    for (const gateway of gateways.splice(0)) gateway.remove();
    for (const door of doors.values()) door.close();
    removeNamespace(wan);
  };
  // Whatever ends this process, Ctrl-C and a thrown error included, no namespace and no agent stays behind.
  process.once('exit', removeAll);
  try {
    doors = await listenOnWan(wan, [...server.ports.keys()]);
  } catch (error) {
    removeAll();
    throw error;
  }
  for (const [port, door] of doors) {
    const to = server.ports.get(port);
    if (to !== undefined) passOn(door, to);
  }
  return {
    async addGateway(options) {
      const gateway = await makeEmulatedGateway({ ...options, wanNamespace: wan, line: gateways.length + 2 });
      gateways.push(gateway);
      return gateway;
    },
    async stop() {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
      removeAll();
      process.removeListener('exit', removeAll);
    },
  };
}

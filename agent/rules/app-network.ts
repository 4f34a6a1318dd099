/**
 * How software with a granted LAN permission stands in the home network: one end of a cable (veth) in a network namespace of its own, the other end
 * a port of the gateway's bridge. Plain text for iproute2; what may pass is in rules/app-firewall.ts.
 */
import { firstAppUid } from './agent-state.ts';
import { type HomeNetwork, macOf, portMacOf } from './home-network.ts';

export type Ports = { readonly udp: readonly number[]; readonly tcp: readonly number[] };

/** What one software asked for, and what of it is in force (manifest ∩ grants). */
export type NetworkWish = {
  readonly uid: number;
  readonly asked: { readonly lan: readonly string[]; readonly wan: readonly string[] };
  readonly permissions: { readonly lan: readonly string[] };
};

/** The software's end of the cable, as it sees it. */
export const appInterface = 'eth0';
/** Name of the table in the software's namespace. */
export const appTable = 'tsugite';

export function slotOf(uid: number): number {
  return uid - firstAppUid;
}

/**
 * @param tag  six characters that no other agent of the machine has
 * @returns the name of the bridge's port, and of the table that guards it; an interface name holds 15 characters
 */
export function portName(tag: string, uid: number): string {
  return `${portPrefix(tag)}${slotOf(uid).toString(36)}`;
}

export function portPrefix(tag: string): string {
  return `tsg${tag}-`;
}

export function guardTable(port: string): string {
  return port.replace('-', '_');
}

/** @param permissions  like `udp:3610` */
export function portsOf(permissions: readonly string[]): Ports {
  const of = (protocol: string) => [
    ...new Set(permissions.filter((text) => text.startsWith(`${protocol}:`)).map((text) => Number(text.slice(protocol.length + 1)))),
  ];
  return { udp: of('udp'), tcp: of('tcp') };
}

/** In the gateway's namespace, before the guard stands: the cable, not yet plugged in. */
export function layCable(port: string, address: string, namespacePath: string): string[] {
  return [
    `link add ${port} address ${portMacOf(address)} type veth peer name ${appInterface} address ${macOf(address)} netns ${namespacePath}`,
    `link set ${port} addrgenmode none`,
  ];
}

/** In the gateway's namespace, once the guard stands. An isolated port reaches the household's devices, but no other isolated port. */
export function plugIn(port: string, bridge: string): string[] {
  return [`link set ${port} master ${bridge}`, `link set ${port} type bridge_slave isolated on`, `link set ${port} up`];
}

/** In the software's namespace, once its rules stand. */
export function setUpInside(address: string, { prefixLength }: HomeNetwork): string[] {
  return [
    `link set ${appInterface} addrgenmode none`,
    `addr add ${address}/${prefixLength} brd + dev ${appInterface}`,
    `link set ${appInterface} up`,
    `route add 224.0.0.0/4 dev ${appInterface}`,
    // No way to the WAN: everything else ends at the loopback, where the rules refuse and count it. Without a route nothing could be counted.
    'route add default dev lo',
  ];
}

/** @param linkText  of `ip -o link show` */
export function leftoverPorts(linkText: string, tag: string): string[] {
  return [...linkText.matchAll(/^\d+:\s+([^\s@:]+)/gm)].map(([, name]) => `${name}`).filter((name) => name.startsWith(portPrefix(tag)));
}

/** @param tablesText  of `nft list tables bridge` */
export function leftoverTables(tablesText: string, tag: string): string[] {
  return [...tablesText.matchAll(/^table bridge (\S+)$/gm)]
    .map(([, name]) => `${name}`)
    .filter((name) => name.startsWith(guardTable(portPrefix(tag))));
}

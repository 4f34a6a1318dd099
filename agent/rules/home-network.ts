/** The household's network as the gateway's bridge shows it, and the addresses that software gets in it. */

export type HomeNetwork = {
  readonly bridge: string;
  /** `192.168.1.0/24` */
  readonly subnet: string;
  readonly prefixLength: number;
  /** Every IPv4 address of the gateway, on any interface: none of them is for software. */
  readonly gatewayAddresses: readonly string[];
};

/** Numbers within the subnet: 200 is 192.168.1.200 in 192.168.1.0/24. They should lie outside what the gateway gives out by DHCP. */
export type AddressPool = { readonly from: number; readonly to: number };

/**
 * @param text  of `ip -o -4 addr show`
 * @returns undefined when the bridge is not there or has no address
 */
export function readHomeNetwork(text: string, bridge: string): HomeNetwork | undefined {
  const found = [...text.matchAll(/^\d+:\s+([^\s@]+)\S*\s+inet\s+([\d.]+)(?:\/(\d+))?/gm)];
  const home = found.find(([, name, , prefix]) => name === bridge && prefix !== undefined);
  if (home === undefined) return undefined;
  const prefixLength = Number(home[3]);
  return {
    bridge,
    subnet: `${toText(subnetStart(toNumber(`${home[2]}`), prefixLength))}/${prefixLength}`,
    prefixLength,
    gatewayAddresses: [...new Set(found.map(([, , address]) => `${address}`))].filter((address) => !address.startsWith('127.')),
  };
}

/**
 * Addresses for one software, the best first: the same slot gets the same address each time, and the next of the row where that is taken.
 *
 * @param slot   0 for the first software of the gateway, and so on
 * @param taken  by other software
 */
export function addressesFor(home: HomeNetwork, pool: AddressPool, slot: number, taken: readonly string[]): string[] {
  const start = toNumber(home.subnet.split('/')[0] ?? '');
  const size = 2 ** (32 - home.prefixLength);
  const count = Math.max(0, pool.to - pool.from + 1);
  return Array.from({ length: count }, (_, index) => pool.from + ((slot + index) % count))
    .filter((number) => number > 0 && number < size - 1) // neither the network's own address nor the broadcast address
    .map((number) => toText(start + number))
    .filter((address) => !taken.includes(address) && !home.gatewayAddresses.includes(address));
}

/** Locally administered, and the same whenever the address is the same: no device in the home is left with an old one in its table. */
export function macOf(address: string): string {
  return mac(0x02, address);
}

/** Of the bridge's end: a bridge without a set address takes the lowest of its ports', so ours must never be the lowest. */
export function portMacOf(address: string): string {
  return mac(0xfe, address);
}

/** What the neighbour table says about an address that was just asked for. @param text  of `ip neigh show to ADDRESS dev BRIDGE` */
export function isTakenByOther(text: string, address: string): boolean {
  const found = /lladdr ([0-9a-f:]+)/.exec(text)?.[1];
  return found !== undefined && found !== macOf(address);
}

function mac(first: number, address: string): string {
  return [first, 0, ...address.split('.').map(Number)].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function subnetStart(address: number, prefixLength: number): number {
  const size = 2 ** (32 - prefixLength);
  return Math.floor(address / size) * size;
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}

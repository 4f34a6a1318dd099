/**
 * What may pass between software and the home network, as nftables text. Two walls: one in the software's own namespace, which counts what it
 * refuses, and one at the bridge's port in the gateway's namespace, which holds even if the first were gone.
 *
 * No connection tracking: its table is the whole gateway's, and software that fills it would cut off the household. What has to be remembered
 * stands in one small set.
 */
import { appInterface, appTable, guardTable, type NetworkWish, type Ports, portsOf } from './app-network.ts';
import type { Denied, DeniedClass } from './denied-traffic.ts';
import { type HomeNetwork, macOf } from './home-network.ts';

export type AppFirewall = {
  readonly wish: NetworkWish;
  readonly home: HomeNetwork;
  readonly address: string;
  /** Addresses of other software on this gateway. */
  readonly others: readonly string[];
};

/** IANA protocol numbers: nft reads names from /etc/protocols, which a small system does not have. */
const protocolNumber = { icmp: 1, igmp: 2, tcp: 6, udp: 17, icmpv6: 58 } as const;
const classes: readonly DeniedClass[] = ['lan', 'wan', 'gateway', 'other-app'];
/** Devices that asked from another port than a granted one, so that the answer finds back: at most so many at a time. */
const rememberedAskers = 256;

export function appRuleset({ wish, home, address, others }: AppFirewall): string {
  const granted = portsOf(wish.permissions.lan);
  const counters = deniedCounters(wish);
  return `table inet ${appTable} {
${counters.map(({ name }) => `  counter ${name} { }`).join('\n')}
  set gateway { type ipv4_addr; elements = { ${home.gatewayAddresses.join(', ')} }; }
  set other_apps { type ipv4_addr; ${others.length > 0 ? `elements = { ${others.join(', ')} }; ` : ''}}
  set askers { type ipv4_addr . inet_service; flags dynamic, timeout; size ${rememberedAskers}; timeout 30s; }
  chain output {
    type filter hook output priority filter; policy drop;
    oifname "lo" ip daddr { 127.0.0.0/8, ${address} } accept
    oifname "lo" ip6 daddr ::1 accept
    oifname "${appInterface}" meta l4proto ${protocolNumber.igmp} ip daddr 224.0.0.0/4 accept
    meta l4proto { ${protocolNumber.icmp}, ${protocolNumber.icmpv6} } drop
    ip daddr @gateway goto deny_gateway
    ip daddr @other_apps goto deny_other_app
${outwards(granted, home)}    ip daddr { ${home.subnet}, 224.0.0.0/4, 169.254.0.0/16, 255.255.255.255 } goto deny_lan
    ip6 daddr { fe80::/10, ff00::/8 } goto deny_lan
    goto deny_wan
  }
  chain input {
    type filter hook input priority filter; policy drop;
    iifname "lo" accept
    meta l4proto ${protocolNumber.igmp} accept
    ip saddr @gateway drop
    ip saddr @other_apps drop
    ip saddr ${home.subnet} icmp type destination-unreachable accept
${inwards(granted, home)}  }
  chain forward { type filter hook forward priority filter; policy drop; }
${classes.map((of) => denyChain(of, counters)).join('\n')}
}
`;
}

/** To the household's devices and groups on the granted ports, and back to who asked us there. */
function outwards({ udp, tcp }: Ports, { subnet }: HomeNetwork): string {
  return lines(
    udp.length > 0 && `ip daddr { ${subnet}, 224.0.0.0/4 } udp dport ${some(udp)} accept`,
    udp.length > 0 && `udp sport ${some(udp)} ip daddr . udp dport @askers accept`,
    tcp.length > 0 && `ip daddr ${subnet} tcp dport ${some(tcp)} accept`,
  );
}

/**
 * UDP both ways: a device announces to the granted port from any port of its own, and answers a question that went to a group from the granted
 * port, to wherever it was asked from. TCP is answered only: no device opens a connection to software.
 */
function inwards({ udp, tcp }: Ports, { subnet }: HomeNetwork): string {
  return lines(
    udp.length > 0 && `ip saddr ${subnet} udp sport != ${some(udp)} udp dport ${some(udp)} update @askers { ip saddr . udp sport }`,
    udp.length > 0 && `ip saddr ${subnet} udp dport ${some(udp)} accept`,
    udp.length > 0 && `ip saddr ${subnet} udp sport ${some(udp)} accept`,
    tcp.length > 0 && `ip saddr ${subnet} tcp sport ${some(tcp)} tcp flags & (syn | ack) != syn accept`,
  );
}

/** Refused at once rather than left to time out: a datagram fails with EPERM, a connection with ECONNREFUSED. */
function denyChain(of: DeniedClass, counters: readonly DeniedCounter[]): string {
  const rules = counters
    .filter((counter) => counter.class === of)
    .map(({ name, protocol, port }) => {
      const match =
        protocol === 'other' ? '' : port === undefined ? `meta l4proto ${protocolNumber[protocol]} ` : `${protocol} dport ${port} `;
      return `    ${match}counter name "${name}" ${protocol === 'tcp' ? 'reject with tcp reset' : 'drop'}`;
    });
  return `  chain deny_${of.replace('-', '_')} {\n${rules.join('\n')}\n  }`;
}

type DeniedCounter = Omit<Denied, 'count'> & { readonly name: string };

/** Ports that the manifest names are counted each, all others together (DOMAIN §12). Named ports come first: the first counter that fits counts. */
function deniedCounters({ asked }: NetworkWish): DeniedCounter[] {
  const lan = portsOf(asked.lan);
  const wan: Ports = { udp: [], tcp: [...new Set(asked.wan.map((place) => Number(place.slice(place.lastIndexOf(':') + 1))))] };
  return classes.flatMap((of) => {
    const named = of === 'wan' ? wan : lan;
    const counter = (protocol: Denied['protocol'], port?: number): DeniedCounter => ({
      name: [of.replace('-', '_'), protocol, ...(port === undefined ? [] : [port])].join('_'),
      class: of,
      protocol,
      ...(port !== undefined && { port }),
    });
    return [
      ...named.udp.map((port) => counter('udp', port)),
      ...named.tcp.map((port) => counter('tcp', port)),
      ...(['udp', 'tcp', 'other'] as const).map((protocol) => counter(protocol)),
    ];
  });
}

/** @param text  of `nft list counters table inet tsugite`: the plain form, since a small gateway's nft may have no JSON */
export function readDenied(text: string, wish: NetworkWish): Denied[] {
  const counts = new Map([...text.matchAll(/counter (\w+) \{\s*packets (\d+)/g)].map(([, name, packets]) => [`${name}`, Number(packets)]));
  return deniedCounters(wish).flatMap(({ name, ...of }) => {
    const count = counts.get(name) ?? 0;
    return count > 0 ? [{ ...of, count }] : [];
  });
}

/** At the bridge's port: its own address and nothing else leaves, and nothing at all reaches the gateway itself. */
export function guardRuleset(port: string, address: string): string {
  const mac = macOf(address);
  return `table bridge ${guardTable(port)} {
  counter spoofed { }
  chain from_app {
    type filter hook prerouting priority filter; policy accept;
    iifname != "${port}" accept
    ether saddr != ${mac} counter name "spoofed" drop
    ether type arp arp saddr ether ${mac} arp saddr ip ${address} accept
    ether type ip ip saddr ${address} accept
    counter name "spoofed" drop
  }
  chain to_gateway {
    type filter hook input priority filter; policy accept;
    iifname "${port}" drop
  }
  chain to_app {
    type filter hook postrouting priority filter; policy accept;
    oifname "${port}" ether type != { arp, ip } drop
  }
}
`;
}

function some(ports: readonly number[]): string {
  return `{ ${ports.join(', ')} }`;
}

function lines(...rules: (string | false)[]): string {
  return rules.flatMap((rule) => (rule === false ? [] : [`    ${rule}\n`])).join('');
}

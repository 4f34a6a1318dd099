import { expect, test } from 'vitest';
import { appRuleset, guardRuleset, readDenied } from '../../../agent/rules/app-firewall.ts';

const home = { bridge: 'br-lan', subnet: '192.168.1.0/24', prefixLength: 24, gatewayAddresses: ['198.18.0.2', '192.168.1.1'] };
const wish = {
  uid: 20_001,
  asked: { lan: ['udp:3610', 'tcp:80'], wan: ['api.example.jp:443', 'log.example.jp:443'] },
  permissions: { lan: ['udp:3610'] },
};

test('the rules of software that asked for udp:3610, tcp:80 and the WAN, and was given udp:3610', () => {
  expect(appRuleset({ wish, home, address: '192.168.1.200', others: ['192.168.1.201'] })).toMatchInlineSnapshot(`
    "table inet tsugite {
      counter lan_udp_3610 { }
      counter lan_tcp_80 { }
      counter lan_udp { }
      counter lan_tcp { }
      counter lan_other { }
      counter wan_tcp_443 { }
      counter wan_udp { }
      counter wan_tcp { }
      counter wan_other { }
      counter gateway_udp_3610 { }
      counter gateway_tcp_80 { }
      counter gateway_udp { }
      counter gateway_tcp { }
      counter gateway_other { }
      counter other_app_udp_3610 { }
      counter other_app_tcp_80 { }
      counter other_app_udp { }
      counter other_app_tcp { }
      counter other_app_other { }
      set gateway { type ipv4_addr; elements = { 198.18.0.2, 192.168.1.1 }; }
      set other_apps { type ipv4_addr; elements = { 192.168.1.201 }; }
      set askers { type ipv4_addr . inet_service; flags dynamic, timeout; size 256; timeout 30s; }
      chain output {
        type filter hook output priority filter; policy drop;
        oifname "lo" ip daddr { 127.0.0.0/8, 192.168.1.200 } accept
        oifname "lo" ip6 daddr ::1 accept
        oifname "eth0" meta l4proto 2 ip daddr 224.0.0.0/4 accept
        meta l4proto { 1, 58 } drop
        ip daddr @gateway goto deny_gateway
        ip daddr @other_apps goto deny_other_app
        ip daddr { 192.168.1.0/24, 224.0.0.0/4 } udp dport { 3610 } accept
        udp sport { 3610 } ip daddr . udp dport @askers accept
        ip daddr { 192.168.1.0/24, 224.0.0.0/4, 169.254.0.0/16, 255.255.255.255 } goto deny_lan
        ip6 daddr { fe80::/10, ff00::/8 } goto deny_lan
        goto deny_wan
      }
      chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        meta l4proto 2 accept
        ip saddr @gateway drop
        ip saddr @other_apps drop
        ip saddr 192.168.1.0/24 icmp type destination-unreachable accept
        ip saddr 192.168.1.0/24 udp sport != { 3610 } udp dport { 3610 } update @askers { ip saddr . udp sport }
        ip saddr 192.168.1.0/24 udp dport { 3610 } accept
        ip saddr 192.168.1.0/24 udp sport { 3610 } accept
      }
      chain forward { type filter hook forward priority filter; policy drop; }
      chain deny_lan {
        udp dport 3610 counter name "lan_udp_3610" drop
        tcp dport 80 counter name "lan_tcp_80" reject with tcp reset
        meta l4proto 17 counter name "lan_udp" drop
        meta l4proto 6 counter name "lan_tcp" reject with tcp reset
        counter name "lan_other" drop
      }
      chain deny_wan {
        tcp dport 443 counter name "wan_tcp_443" reject with tcp reset
        meta l4proto 17 counter name "wan_udp" drop
        meta l4proto 6 counter name "wan_tcp" reject with tcp reset
        counter name "wan_other" drop
      }
      chain deny_gateway {
        udp dport 3610 counter name "gateway_udp_3610" drop
        tcp dport 80 counter name "gateway_tcp_80" reject with tcp reset
        meta l4proto 17 counter name "gateway_udp" drop
        meta l4proto 6 counter name "gateway_tcp" reject with tcp reset
        counter name "gateway_other" drop
      }
      chain deny_other_app {
        udp dport 3610 counter name "other_app_udp_3610" drop
        tcp dport 80 counter name "other_app_tcp_80" reject with tcp reset
        meta l4proto 17 counter name "other_app_udp" drop
        meta l4proto 6 counter name "other_app_tcp" reject with tcp reset
        counter name "other_app_other" drop
      }
    }
    "
  `);
});

test('TCP is answered only, and without a grant for a protocol there is no rule of it', () => {
  const ruleset = appRuleset({ wish: { ...wish, permissions: { lan: ['tcp:80'] } }, home, address: '192.168.1.200', others: [] });
  expect(ruleset.split('\n').filter((line) => line.endsWith(' accept'))).toEqual([
    '    oifname "lo" ip daddr { 127.0.0.0/8, 192.168.1.200 } accept',
    '    oifname "lo" ip6 daddr ::1 accept',
    '    oifname "eth0" meta l4proto 2 ip daddr 224.0.0.0/4 accept',
    '    ip daddr 192.168.1.0/24 tcp dport { 80 } accept',
    '    iifname "lo" accept',
    '    meta l4proto 2 accept',
    '    ip saddr 192.168.1.0/24 icmp type destination-unreachable accept',
    '    ip saddr 192.168.1.0/24 tcp sport { 80 } tcp flags & (syn | ack) != syn accept',
  ]);
});

test('the guard at the bridge’s port', () => {
  expect(guardRuleset('tsga0b1c2-0', '192.168.1.200')).toMatchInlineSnapshot(`
    "table bridge tsga0b1c2_0 {
      counter spoofed { }
      chain from_app {
        type filter hook prerouting priority filter; policy accept;
        iifname != "tsga0b1c2-0" accept
        ether saddr != 02:00:c0:a8:01:c8 counter name "spoofed" drop
        ether type arp arp saddr ether 02:00:c0:a8:01:c8 arp saddr ip 192.168.1.200 accept
        ether type ip ip saddr 192.168.1.200 accept
        counter name "spoofed" drop
      }
      chain to_gateway {
        type filter hook input priority filter; policy accept;
        iifname "tsga0b1c2-0" drop
      }
      chain to_app {
        type filter hook postrouting priority filter; policy accept;
        oifname "tsga0b1c2-0" ether type != { arp, ip } drop
      }
    }
    "
  `);
});

test('counters are read back as class, protocol, count, and a port only where the manifest names it', () => {
  const text = `table inet tsugite {
	counter lan_udp_3610 {
		packets 0 bytes 0
	}
	counter lan_tcp_80 {
		packets 3 bytes 180
	}
	counter lan_udp {
		packets 12 bytes 999
	}
	counter wan_tcp_443 {
		packets 1 bytes 60
	}
	counter other_app_other {
		packets 2 bytes 60
	}
	counter of_somebody_else {
		packets 9 bytes 60
	}
}
`;
  expect(readDenied(text, wish)).toEqual([
    { class: 'lan', protocol: 'tcp', port: 80, count: 3 },
    { class: 'lan', protocol: 'udp', count: 12 },
    { class: 'wan', protocol: 'tcp', port: 443, count: 1 },
    { class: 'other-app', protocol: 'other', count: 2 },
  ]);
});

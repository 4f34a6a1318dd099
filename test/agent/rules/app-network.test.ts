import { expect, test } from 'vitest';
import {
  guardTable,
  layCable,
  leftoverPorts,
  leftoverTables,
  plugIn,
  portName,
  portsOf,
  setUpInside,
} from '../../../agent/rules/app-network.ts';

const home = { bridge: 'br-lan', subnet: '192.168.1.0/24', prefixLength: 24, gatewayAddresses: ['192.168.1.1'] };

test('the commands for one software', () => {
  expect(layCable('tsga0b1c2-0', '192.168.1.200', '/proc/7/fd/21')).toEqual([
    'link add tsga0b1c2-0 address fe:00:c0:a8:01:c8 type veth peer name eth0 address 02:00:c0:a8:01:c8 netns /proc/7/fd/21',
    'link set tsga0b1c2-0 addrgenmode none',
  ]);
  expect(plugIn('tsga0b1c2-0', 'br-lan')).toEqual([
    'link set tsga0b1c2-0 master br-lan',
    'link set tsga0b1c2-0 type bridge_slave isolated on',
    'link set tsga0b1c2-0 up',
  ]);
  expect(setUpInside('192.168.1.200', home)).toEqual([
    'link set eth0 addrgenmode none',
    'addr add 192.168.1.200/24 brd + dev eth0',
    'link set eth0 up',
    'route add 224.0.0.0/4 dev eth0',
    'route add default dev lo',
  ]);
});

test('names fit an interface name, for every uid', () => {
  expect(portName('a0b1c2', 20_001)).toBe('tsga0b1c2-0');
  expect(portName('a0b1c2', 65_533).length).toBeLessThanOrEqual(15);
  expect(guardTable('tsga0b1c2-z')).toBe('tsga0b1c2_z');
});

test('permissions are ports of a protocol, each once', () => {
  expect(portsOf(['udp:3610', 'tcp:80', 'udp:5353', 'udp:3610'])).toEqual({ udp: [3610, 5353], tcp: [80] });
});

test('what an earlier run left is told by its name: ours, not another agent’s or the gateway’s', () => {
  const links = `1: lo: <LOOPBACK> mtu 65536
2: br-lan: <BROADCAST> mtu 1500
3: tsga0b1c2-0@if2: <BROADCAST> mtu 1500
4: tsgffffff-0@if2: <BROADCAST> mtu 1500
`;
  expect(leftoverPorts(links, 'a0b1c2')).toEqual(['tsga0b1c2-0']);
  expect(leftoverTables('table bridge tsga0b1c2_0\ntable bridge tsgffffff_0\ntable bridge home\n', 'a0b1c2')).toEqual(['tsga0b1c2_0']);
});

import { expect, test } from 'vitest';
import { addressesFor, isTakenByOther, macOf, portMacOf, readHomeNetwork } from '../../../agent/rules/home-network.ts';

const text = `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: wan    inet 198.18.0.2/24 scope global wan\\       valid_lft forever preferred_lft forever
3: ppp0    inet 203.0.113.7 peer 203.0.113.1/32 scope global ppp0\\       valid_lft forever preferred_lft forever
4: br-lan    inet 192.168.1.1/24 brd 192.168.1.255 scope global br-lan\\       valid_lft forever preferred_lft forever
4: br-lan    inet 192.168.1.2/24 scope global secondary br-lan\\       valid_lft forever preferred_lft forever
`;
const home = readHomeNetwork(text, 'br-lan');
const pool = { from: 200, to: 239 };

test('the home is the bridge’s subnet, and every address of the gateway is known', () => {
  expect(home).toEqual({
    bridge: 'br-lan',
    subnet: '192.168.1.0/24',
    prefixLength: 24,
    gatewayAddresses: ['198.18.0.2', '203.0.113.7', '192.168.1.1', '192.168.1.2'],
  });
  expect(readHomeNetwork(text, 'br-other')).toBeUndefined();
  expect(readHomeNetwork(text, 'br')).toBeUndefined();
  expect(readHomeNetwork('4: br-lan    inet 10.1.130.1/22 scope global br-lan', 'br-lan')?.subnet).toBe('10.1.128.0/22');
});

test('a slot gets the same address each time, and the next of the row where that is taken', () => {
  if (home === undefined) throw new Error('no home');
  expect(addressesFor(home, pool, 0, []).slice(0, 3)).toEqual(['192.168.1.200', '192.168.1.201', '192.168.1.202']);
  expect(addressesFor(home, pool, 39, []).slice(0, 2)).toEqual(['192.168.1.239', '192.168.1.200']);
  expect(addressesFor(home, pool, 40, [])[0]).toBe('192.168.1.200'); // round again
  expect(addressesFor(home, pool, 0, ['192.168.1.200'])[0]).toBe('192.168.1.201');
  expect(addressesFor(home, pool, 7, [])).toHaveLength(40);
});

test('the subnet’s own address, its broadcast address and the gateway’s are nobody’s', () => {
  if (home === undefined) throw new Error('no home');
  expect(addressesFor(home, { from: 1, to: 3 }, 0, [])).toEqual(['192.168.1.3']);
  expect(addressesFor(home, { from: 254, to: 300 }, 0, [])).toEqual(['192.168.1.254']);
  expect(addressesFor(home, { from: 240, to: 200 }, 0, [])).toEqual([]);
  expect(addressesFor({ ...home, subnet: '10.1.128.0/22', prefixLength: 22 }, { from: 600, to: 600 }, 3, [])).toEqual(['10.1.130.88']);
});

test('hardware addresses follow from the address; the bridge’s end is never the lowest of a bridge', () => {
  expect(macOf('192.168.1.200')).toBe('02:00:c0:a8:01:c8');
  expect(portMacOf('192.168.1.200')).toBe('fe:00:c0:a8:01:c8');
});

test('an address is taken when another card answers for it', () => {
  expect(isTakenByOther('192.168.1.200 lladdr d6:62:f5:af:ff:20 REACHABLE \n', '192.168.1.200')).toBe(true);
  expect(isTakenByOther('192.168.1.200 lladdr 02:00:c0:a8:01:c8 STALE \n', '192.168.1.200')).toBe(false); // our own, of before
  expect(isTakenByOther('192.168.1.200 INCOMPLETE \n', '192.168.1.200')).toBe(false);
  expect(isTakenByOther('', '192.168.1.200')).toBe(false);
});

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { aGatewayAtHome, deviceAddress } from '../../support/gateway-at-home.ts';

let home: Awaited<ReturnType<typeof aGatewayAtHome>>;
beforeEach(async () => {
  home = await aGatewayAtHome();
});
afterEach(() => home.end());

/** Sends one datagram from a port and gives the first answer, or why there is none. */
const sendUdp = (port: number, address: string, { from = 0, text = 'hello', waitMs = 1_500 } = {}) => `
  const socket = require('node:dgram').createSocket('udp4');
  return new Promise((resolve) => {
    setTimeout(() => resolve('silence'), ${waitMs});
    socket.on('message', (bytes, from) => resolve(bytes + ' from ' + from.address + ':' + from.port));
    socket.bind(${from}, () => socket.send('${text}', ${port}, '${address}', (error) => error && resolve(error.code)));
  }).finally(() => socket.close());`;
const connectTcp = (port: number, address: string) => `
  return new Promise((resolve) => {
    const socket = require('node:net').connect(${port}, '${address}');
    socket.on('data', (bytes) => resolve(String(bytes))).on('error', (error) => resolve(error.code)).setTimeout(1500, () => resolve('silence'));
  });`;
/** Hears port 3610 and the group until something comes. */
const listen = `
  const socket = require('node:dgram').createSocket({ type: 'udp4', reuseAddr: true });
  return new Promise((resolve) => {
    setTimeout(() => resolve('silence'), 3000);
    socket.on('message', (bytes, from) => { socket.send('answer', from.port, from.address, (error) => resolve(bytes + ' from ' + from.address + ':' + from.port + ' ' + (error?.code ?? 'answered'))); });
    socket.bind(3610, () => { socket.addMembership('224.0.23.0'); console.log('listens'); });
  }).finally(() => socket.close());`;

async function listening({ ask }: ReturnType<typeof home.anAgent>): Promise<void> {
  for (let isListening = false; !isListening; ) isListening = (await ask<string[]>({ do: 'lines' })).includes('listens');
}
async function untilTrue(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20)); // the test's own time limit ends it
}

test('the home is one in which everything is reachable, so that a refusal is ours', () => {
  const get = (port: number, address: string) =>
    home.inside(
      home.device,
      process.execPath,
      '-e',
      `require('node:net').connect(${port}, '${address}').on('connect', () => { console.log('yes'); process.exit(); })`,
    );
  expect([get(443, '198.18.0.1'), get(8888, '192.168.1.1')]).toEqual(['yes\n', 'yes\n']);
});

describe('software with a granted udp:3610', () => {
  test('has its own address in the home, asks a device and the group, and hears their answers from any port of its own', async () => {
    const app = await home.anAgent().anApp('a', ['udp:3610']);
    expect(app.address).toBe('192.168.1.200');
    expect(await app.run(`return Object.values(require('node:os').networkInterfaces()).flat().map(({ cidr }) => cidr)`)).toEqual(
      expect.arrayContaining(['127.0.0.1/8', '192.168.1.200/24']),
    );

    for (const from of [0, 3610]) {
      expect(await app.run(sendUdp(3610, deviceAddress, { from }))).toBe(`echo hello from ${deviceAddress}:3610`);
      expect(await app.run(sendUdp(3610, '224.0.23.0', { from }))).toBe(`echo hello from ${deviceAddress}:3610`);
    }
    expect(new Set(home.heard.slice(1).map(({ from }) => from))).toEqual(new Set(['192.168.1.200']));
    expect((await app.network()).denied).toEqual([]);
  });

  test.each([
    ['to it', 3610, '192.168.1.200'],
    ['to the group', 3610, '224.0.23.0'],
    ['to it from another port than 3610, and is answered there', 40_000, '192.168.1.200'],
  ])('hears what a device announces %s', async (_, from, to) => {
    const agent = home.anAgent();
    const app = await agent.anApp('a', ['udp:3610']);
    const hearing = app.run(listen);
    await listening(agent);
    home.say({ from, port: 3610, to, text: 'INF' });
    expect(await hearing).toBe(`INF from ${deviceAddress}:${from} answered`);
    await untilTrue(() => home.heard.some(({ at, text }) => at === from && text === 'answer'));
  });

  test('reaches no other port, not the gateway, not the WAN, and each attempt is counted by its class', async () => {
    const app = await home.anAgent().anApp('a', ['udp:3610'], { asked: ['udp:3610', 'tcp:80'] });

    expect(await app.run(sendUdp(3611, deviceAddress))).toBe('EPERM');
    expect(await app.run(sendUdp(40_000, deviceAddress, { from: 3610 }))).toBe('EPERM'); // never asked from there
    expect(await app.run(connectTcp(80, deviceAddress))).toBe('ECONNREFUSED');
    expect(await app.run(connectTcp(8888, '192.168.1.1'))).toBe('ECONNREFUSED');
    expect(await app.run(sendUdp(3610, '192.168.1.1'))).toBe('EPERM');
    expect(await app.run(connectTcp(443, '198.18.0.1'))).toBe('ECONNREFUSED');
    expect(await app.run(connectTcp(443, '198.18.0.2'))).toBe('ECONNREFUSED'); // the gateway's own WAN address

    expect((await app.network()).denied).toEqual([
      { class: 'lan', protocol: 'tcp', port: 80, count: 1 },
      { class: 'lan', protocol: 'udp', count: 2 },
      { class: 'wan', protocol: 'tcp', count: 1 },
      { class: 'gateway', protocol: 'udp', port: 3610, count: 1 },
      { class: 'gateway', protocol: 'tcp', count: 2 },
    ]);
  });

  test('hears nothing on other ports', async () => {
    const agent = home.anAgent();
    const app = await agent.anApp('a', ['udp:3610']);
    const hearing = app.run(listen.replace('bind(3610', 'bind(5000').replace('3000', '1500'));
    await listening(agent);
    home.say({ from: 40_000, port: 5000, to: '192.168.1.200', text: 'knock' });
    expect(await hearing).toBe('silence');
  });

  test('cannot meet other software, by its address or by the group', async () => {
    const agent = home.anAgent();
    const [one, other] = [await agent.anApp('a', ['udp:3610']), await agent.anApp('b', ['udp:3610'])];
    expect([one.address, other.address]).toEqual(['192.168.1.200', '192.168.1.201']);
    const hearing = other.run(listen);
    await listening(agent);
    expect(await one.run(sendUdp(3610, '192.168.1.201'))).toBe('EPERM');
    expect(await other.run(sendUdp(3610, '192.168.1.200'))).toBe('EPERM');
    expect(await one.run(sendUdp(3610, '224.0.23.0'))).toContain(deviceAddress);
    expect(await hearing).toBe('silence');
    expect((await one.network()).denied).toEqual([{ class: 'other-app', protocol: 'udp', port: 3610, count: 1 }]);
    const known = () => one.asRoot('nft', 'list', 'set', 'inet', 'tsugite', 'other_apps');
    expect(known()).toContain('192.168.1.201');
    await other.stop();
    expect(known()).not.toContain('192.168.1.201'); // it may be a device's from now on
  });

  test('takes the next address where a device of the home has the first', async () => {
    home.inside(home.device, 'ip', 'addr', 'add', '192.168.1.200/24', 'dev', 'eth0');
    expect((await home.anAgent().anApp('a', ['udp:3610'])).address).toBe('192.168.1.201');
  });

  test('has no capability, no user namespace of its own and no name of the gateway’s', async () => {
    const app = await home.anAgent().anApp('a', ['udp:3610']);
    const status = readFileSync(`/proc/${app.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t20001\t20001\t20001\t20001$/m);
    expect(status).toMatch(/^Cap(Eff|Bnd):\t0+$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(app.asRoot('ip', '-o', 'link', 'show').match(/^\d+: [^\s@:]+/gm)).toEqual(['1: lo', '2: eth0']);
    expect(app.asRoot('ip', '-6', '-o', 'addr', 'show')).not.toContain('eth0');
    expect(app.asRoot('ip', 'route', 'show', 'default')).toBe('default dev lo scope link \n');
  });
});

describe('the sample software in its sandbox', () => {
  const appDir = path.resolve('fixtures/software/demo.aircon/app');
  type Device = { id: string; on: boolean | null; targetC: number | null };
  type App = { get: (method: string, path: string, body?: unknown) => Promise<string> };
  const devices = async (app: App): Promise<{ lan: string; devices: Device[] }> => JSON.parse(await app.get('GET', '/demo.aircon/devices'));
  async function seen(app: App, isIt: (device: Device) => boolean): Promise<Device> {
    for (;;) {
      const found = (await devices(app)).devices.find(isIt);
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  test('finds the air conditioner and switches it, and so does other software at the same time; both hear the remote control', async () => {
    const aircon = await home.anAircon('192.168.1.21');
    const agent = home.anAgent();
    const one = await agent.anApp('a', ['udp:3610'], { appDir });
    const other = await agent.anApp('b', ['udp:3610'], { appDir });
    const { id } = await seen(one, ({ on }) => on === false);
    expect((await seen(other, ({ on }) => on === false)).id).toBe(id);

    await one.get('POST', `/demo.aircon/devices/${id}/power`, { on: true });
    await other.get('POST', `/demo.aircon/devices/${id}/temperature`, { celsius: 22 });
    expect(await aircon.state()).toMatchObject({ on: true, targetC: 22 });

    await aircon.press({ on: false, targetC: 28 });
    await Promise.all([one, other].map((app) => seen(app, (device) => device.on === false && device.targetC === 28)));
    expect([(await one.network()).denied, (await other.network()).denied]).toEqual([[], []]);
  });

  test('without the grant it sees no home at all', async () => {
    await home.anAircon('192.168.1.21');
    const app = await home.anAgent().anApp('a', [], { asked: ['udp:3610'], appDir });
    expect(await devices(app)).toEqual({ lan: 'none', devices: [] });
  });
});

describe('the second wall, at the bridge’s port, with the first one gone', () => {
  test('lets nothing reach the gateway or other software', async () => {
    const agent = home.anAgent();
    const [app, other] = [await agent.anApp('a', ['udp:3610']), await agent.anApp('b', ['udp:3610'])];
    for (const { asRoot } of [app, other]) asRoot('nft', 'flush', 'ruleset');
    expect(await app.run(connectTcp(80, deviceAddress))).toBe('tcp 80'); // the first wall is gone

    expect(await app.run(connectTcp(8888, '192.168.1.1'))).toBe('silence');
    const hearing = other.run(listen);
    await listening(agent);
    expect(await app.run(sendUdp(3610, '192.168.1.201'))).toBe('silence');
    expect(await hearing).toBe('silence');
    app.asRoot('ip', 'route', 'replace', 'default', 'via', '192.168.1.1');
    expect(await app.run(connectTcp(443, '198.18.0.1'))).toBe('silence');
  });

  test('drops what does not come from its own address: IPv4, ARP, another hardware address, IPv6', async () => {
    const app = await home.anAgent().anApp('a', ['udp:3610']);
    app.asRoot('nft', 'flush', 'ruleset');
    const spoofed = () => Number(/spoofed \{\s+packets (\d+)/.exec(home.inside(home.gateway, 'nft', 'list', 'counters'))?.[1]);
    const send = (text: string, from: string) =>
      app.asRoot(
        process.execPath,
        '-e',
        `const s = require('node:dgram').createSocket('udp4'); s.bind(0, '${from}', () => s.send('${text}', 3610, '${deviceAddress}', () => s.close()))`,
      );
    send('own', '192.168.1.200');
    await untilTrue(() => home.heard.some(({ text }) => text === 'own'));
    expect(spoofed()).toBe(0);

    const isDropped = (deed: () => void) => {
      const before = spoofed();
      deed();
      return spoofed() > before;
    };
    app.asRoot('ip', 'addr', 'add', '192.168.1.77/24', 'dev', 'eth0');
    expect(isDropped(() => send('as another', '192.168.1.77'))).toBe(true);
    app.asRoot('ip', 'neigh', 'flush', 'dev', 'eth0');
    expect(isDropped(() => send('as another, asked by ARP', '192.168.1.77'))).toBe(true);
    expect(home.inside(home.device, 'ip', 'neigh')).not.toContain('192.168.1.77'); // nobody's table is poisoned
    const deviceMac = /link\/ether (\S+)/.exec(home.inside(home.device, 'ip', 'link', 'show', 'eth0'))?.[1] ?? '';
    app.asRoot('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:00:77');
    app.asRoot('ip', 'neigh', 'replace', deviceAddress, 'lladdr', deviceMac, 'dev', 'eth0', 'nud', 'permanent');
    expect(isDropped(() => send('with another card', '192.168.1.200'))).toBe(true);
    app.asRoot('ip', 'link', 'set', 'eth0', 'address', '02:00:c0:a8:01:c8');
    app.asRoot('ip', 'addr', 'add', 'fd00::77/64', 'dev', 'eth0', 'nodad');
    const inIpv6 = `const s = require('node:dgram').createSocket('udp6'); s.send('six', 3610, 'fd00::1', () => s.close())`;
    expect(isDropped(() => app.asRoot(process.execPath, '-e', inIpv6))).toBe(true);

    send('own again', '192.168.1.200');
    await untilTrue(() => home.heard.some(({ text }) => text === 'own again'));
    expect(home.heard.slice(1).map(({ text }) => text)).toEqual(['own', 'own again']);
  });
});

test('software without the grant has its loopback alone', async () => {
  const app = await home.anAgent().anApp('a', [], { asked: ['udp:3610'] });
  expect(app.address).toBeUndefined();
  expect(app.asRoot('ip', '-o', 'link', 'show').match(/^\d+: [^\s@:]+/gm)).toEqual(['1: lo']);
  expect(await app.run(sendUdp(3610, deviceAddress))).toBe('ENETUNREACH');
  expect(await app.run(sendUdp(3610, '224.0.23.0'))).toBe('ENETUNREACH');
  expect(home.ours()).toEqual([]);
});

test('a gateway without the bridge: the software runs without a network, the reason is told, and it is joined once the bridge is there', async () => {
  home.inside(home.gateway, 'ip', 'link', 'set', 'br-lan', 'name', 'br-other');
  const agent = home.anAgent();
  const app = await agent.anApp('a', ['udp:3610']);
  const missing = { fault: { code: 'APP_LAN_UNAVAILABLE', detail: { kind: 'no-bridge', bridge: 'br-lan' } }, denied: [] };
  expect(await app.network()).toEqual(missing);
  expect(await app.run(connectTcp(1, '127.0.0.1'))).toBe('ECONNREFUSED');
  expect(await app.run(sendUdp(3610, deviceAddress))).toBe('ENETUNREACH');

  await agent.ask({ do: 'hurry' });
  await expect.poll(() => app.network()).toEqual(missing);
  home.inside(home.gateway, 'ip', 'link', 'set', 'br-other', 'name', 'br-lan');
  await agent.ask({ do: 'hurry' });
  await expect.poll(() => app.network(), { timeout: 5_000 }).toEqual({ address: '192.168.1.200', denied: [] });
  expect(await app.run(sendUdp(3610, deviceAddress))).toBe(`echo hello from ${deviceAddress}:3610`);
});

test('a gateway whose firewall also judges what passes within the home says so', async () => {
  home.inside(home.gateway, 'sh', '-c', 'echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables');
  const app = await home.anAgent().anApp('a', ['udp:3610']);
  expect(await app.network()).toEqual({ address: '192.168.1.200', isFiltered: true, denied: [] });
  expect(await app.run(sendUdp(3610, deviceAddress))).toBe('silence');
});

describe('what is left', () => {
  test('nothing after a stop: no port, no table, and the bridge keeps its hardware address throughout', async () => {
    const bridgeMac = () => /link\/ether (\S+)/.exec(home.inside(home.gateway, 'ip', 'link', 'show', 'br-lan'))?.[1];
    const before = bridgeMac();
    const app = await home.anAgent().anApp('a', ['udp:3610']);
    expect(home.ours()).toEqual([expect.stringMatching(/^tsg[0-9a-f]{6}-0$/), expect.stringMatching(/^bridge tsg[0-9a-f]{6}_0$/)]);
    expect(bridgeMac()).toBe(before);
    await app.run(sendUdp(3611, deviceAddress));
    await app.stop();
    expect(home.ours()).toEqual([]);
    expect(bridgeMac()).toBe(before);
    expect((await app.network()).denied).toEqual([{ class: 'lan', protocol: 'udp', count: 1 }]); // still told after its end
  });

  test('no process, namespace or port after the agent was killed; the table goes at its next start, and the address is free again', async () => {
    const agent = home.anAgent();
    const app = await agent.anApp('a', ['udp:3610']);
    agent.child.kill('SIGKILL');
    await untilTrue(() => !existsSync(`/proc/${app.pid}`) && home.ours().length === 1);
    expect(home.ours()).toEqual(['bridge tsga0b1c2_0']);

    const next = home.anAgent();
    await next.ask({ do: 'removeLeftovers' });
    expect(home.ours()).toEqual([]);
    expect((await next.anApp('a', ['udp:3610'])).address).toBe('192.168.1.200');
  });

  test('an agent that starts clears what is plugged in under its own names, and nothing of another agent', async () => {
    home.inside(home.gateway, 'ip', 'link', 'add', 'tsga0b1c2-9', 'type', 'veth', 'peer', 'name', 'left');
    home.inside(home.gateway, 'ip', 'link', 'add', 'tsgffffff-9', 'type', 'veth', 'peer', 'name', 'other');
    await home.anAgent().ask({ do: 'removeLeftovers' });
    expect(home.ours()).toEqual(['tsgffffff-9']);
  });
});

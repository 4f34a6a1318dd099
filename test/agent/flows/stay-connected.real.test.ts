import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { makeOpenControlConnection } from '../../../agent/adapters/mqtt-connection.ts';
import { makeStayConnected } from '../../../agent/flows/stay-connected.ts';
import type { ControlLink } from '../../../agent/ports.ts';
import { pingAnswerMs } from '../../../agent/rules/keepalive.ts';
import { networkFaultOf } from '../../../agent/rules/network-fault.ts';
import * as wireModel from '../../../agent/rules/wire-model.ts';
import type { Authority } from '../../../server/ports.ts';
import { anAuthority, anIdentity, aServerIdentity } from '../../support/gateway-pki.ts';
import { aManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { connectMqtt } from '../../support/mqtt-client.ts';
import { aBroker } from '../../support/test-broker.ts';
import { until } from '../../support/until.ts';

let authorities: { server: Authority; device: Authority };
let own: Awaited<ReturnType<typeof anIdentity>>;
let clock: ManualClock;
let told: string[];
let folder: string;

beforeAll(async () => {
  authorities = { server: await anAuthority('server CA'), device: await anAuthority('device CA') };
  own = await anIdentity(authorities.device, 'gw-0001');
});
beforeEach(() => {
  clock = aManualClock();
  told = [];
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-link-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function aLink(port: number): ControlLink {
  const ledger = { charge: () => {}, chargePackage: () => {}, month: () => ({ totalBytes: 0, byPurpose: {} as never }) };
  const link = makeStayConnected({
    open: makeOpenControlConnection({ clock, ledger, wireModel, networkFaultOf, answerMs: pingAnswerMs }),
    clock,
    random: { fraction: () => 0.5, hex: () => '', id: () => '' as never },
    identity: () => ({
      gateway: own.gateway,
      https: 'https://localhost:1',
      mqtt: `mqtts://localhost:${port}`,
      serverCasPem: [authorities.server.certPem],
      privateKeyPem: own.keyPem,
      certificatePem: own.certPem,
    }),
    spending: () => ({ spentBytes: 0, monthElapsedMs: 0, monthLengthMs: 30 * 86_400_000, targetBytes: 3_000_000, ceilingReached: false }),
  });
  link.start({
    birth: () => Buffer.from('{"birth":true}'),
    onOnline: () => void told.push('online'),
    onOffline: (code) => void told.push(code),
    onNotice: async (envelope) => void told.push(String(envelope)),
    onAck: (message) => void told.push(String(message)),
  });
  return link;
}

async function stop(link: ControlLink): Promise<void> {
  const stopping = link.stop();
  await clock.advanceMs(5_000);
  await stopping;
}

test('a broker that goes away is waited for, and what it retained arrives when it is back', async () => {
  const first = await aBroker(authorities);
  const link = aLink(first.port);
  await until(() => told.includes('online'), 'online');
  await first.stop();
  await until(() => told.includes('SERVER_UNREACHABLE'), 'offline');
  for (let n = 0; n < 5; n++) await clock.advanceMs(1_000);
  const second = await aBroker(authorities, { port: first.port });
  await second.publish('tsugite/1/gw-0001/notice', 'notice 2', { retain: true });
  await until(() => {
    void clock.advanceMs(1_000);
    return told.includes('notice 2');
  }, 'the retained notice');
  expect(told).toEqual(['online', 'SERVER_UNREACHABLE', 'online', 'notice 2']);
  await stop(link);
  await second.stop();
});

test('mosquitto with the same topic rules serves it just as well', async () => {
  const port = await aFreePort();
  const identity = await aServerIdentity(authorities.server);
  const file = (name: string, text: string) => {
    writeFileSync(path.join(folder, name), text);
    return path.join(folder, name);
  };
  const configuration = [
    `listener ${port} 127.0.0.1`,
    `cafile ${file('device-ca.pem', authorities.device.certPem)}`,
    `certfile ${file('server.pem', identity.certPem)}`,
    `keyfile ${file('server-key.pem', identity.keyPem)}`,
    'tls_version tlsv1.3',
    'require_certificate true',
    'use_identity_as_username true',
    'use_username_as_clientid true',
    `acl_file ${file('acl', 'user server\ntopic readwrite #\npattern read tsugite/1/%u/notice\npattern read tsugite/1/%u/ack\npattern write tsugite/1/%u/report\npattern write tsugite/1/%u/telemetry\npattern write tsugite/1/%u/presence\n')}`,
    'allow_anonymous false',
    'user root',
    'persistence false',
  ].join('\n');
  const mosquitto = spawn('mosquitto', ['-c', file('mosquitto.conf', `${configuration}\n`)], { stdio: 'ignore' });
  try {
    await until(() => isListening(port), 'mosquitto');
    const server = await connectMqtt(port, await anIdentity(authorities.device, 'server'), authorities.server.certPem, {
      clientId: 'server',
    });
    await server.subscribe({ 'tsugite/1/+/report': { qos: 1 }, 'tsugite/1/+/presence': { qos: 1 } });
    await server.publish('tsugite/1/gw-0001/notice', 'notice 1', { qos: 1, retain: true });

    const link = aLink(port);
    await until(() => told.includes('notice 1'), 'the notice');
    await link.publishReport(Buffer.from('{"seq":1}'));
    expect((await server.hears('tsugite/1/gw-0001/report')).payload.toString()).toBe('{"seq":1}');
    await server.publish('tsugite/1/gw-0001/ack', 'ack 1', { qos: 0 });
    await until(() => told.includes('ack 1'), 'the acknowledgement');
    await stop(link);
    await server.hears('tsugite/1/gw-0001/presence', (payload) => payload.toString() === '{"v":1,"online":false}');
    await server.end();
  } finally {
    mosquitto.kill();
  }
});

async function aFreePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

const listening = new Set<number>();
function isListening(port: number): boolean {
  const probe = connect(port, '127.0.0.1');
  probe.once('connect', () => {
    listening.add(port);
    probe.destroy();
  });
  probe.once('error', () => {});
  return listening.has(port);
}

import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { startEmulator, wanAddress } from '../../../provider/emulator/index.ts';
import { must, mustBe } from '../look.ts';
import type { Step } from '../story.ts';
import { api, customers, enrollGateway, gatewayOf, type World } from '../world.ts';

export const gatewayEnrolled: Step<World> = {
  id: 'gateway-enrolled',
  tells: 'ホームゲートウェイ（PR-400KI）の登録と接続 / a gateway enrols and connects',
  async run(world) {
    const { https, mqtt } = world.ports;
    world.emulator = await startEmulator({ ports: new Map([https, mqtt].map((port) => [port, { host: '127.0.0.1', port }])) });
    const gateway = await enrollGateway(world, 'gw-pr400', 'PR-400KI', customers.eligible);

    const connections = connectionsTo(gateway.agentPid ?? 0, mqtt);
    must(`a TCP connection to ${wanAddress}:${mqtt} in the gateway's own network namespace`, connections === 1, { connections });
    const { agent, firmware } = await api(world, `/gateways/${gateway.gateway}`);
    return { agent, firmware, certificate: certificateOf(world, gateway.dataDir) };
  },
};

function certificateOf(world: World, dataDir: string): object {
  const identity = path.join(dataDir, 'identity');
  const files = readdirSync(identity).map((name) => path.join(identity, name));
  const file = files.find((name) => readFileSync(name, 'utf8').startsWith('-----BEGIN CERTIFICATE-----')) ?? '';
  const certificate = new X509Certificate(readFileSync(file));
  const ca = new X509Certificate(readFileSync(path.join(world.serverData, 'pki/device-ca.pem')));
  must("the gateway's certificate is signed by the device CA", certificate.verify(ca.publicKey));
  mustBe('its common name', certificate.subject, `CN=${gatewayOf(world).gateway}`);
  const key = files.find((name) => readFileSync(name, 'utf8').includes('PRIVATE KEY')) ?? '';
  mustBe('mode of the private key', (statSync(key).mode & 0o777).toString(8), '600');
  return { subject: certificate.subject, validTo: certificate.validTo };
}

/** Established IPv4 connections to that port, read from the agent's own view of the network. */
function connectionsTo(pid: number, port: number): number {
  const remote = `${Buffer.from(wanAddress.split('.').map(Number)).reverse().toString('hex').toUpperCase()}:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , to, state]) => to === remote && state === '01').length;
}

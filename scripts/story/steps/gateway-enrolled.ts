import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { modelName } from '../../../protocol/fields.ts';
import { startEmulator, wanAddress } from '../../../provider/emulator/index.ts';
import { must, mustBe } from '../look.ts';
import { type Step, seen } from '../story.ts';
import { customers, gatewayOf, operator, type World } from '../world.ts';

const gatewayId = 'gw-pr400';

export const gatewayEnrolled: Step<World> = {
  id: 'gateway-enrolled',
  tells: 'ホームゲートウェイ（PR-400KI）の登録と接続 / a gateway enrols and connects',
  async run(world) {
    const { id, facts } = customers.eligible;
    const { site } = await operator(world, 'customer', 'add', '--customer-id', id, ...facts);
    await operator(world, 'gateway', 'add', gatewayId, '--model', 'PR-400KI', '--site', String(site));
    const invitation = path.join(world.folder, 'invitation.json');
    await operator(world, 'gateway', 'invite', gatewayId, '--out', invitation);

    const { https, mqtt } = world.ports;
    world.emulator = await startEmulator({ ports: new Map([https, mqtt].map((port) => [port, { host: '127.0.0.1', port }])) });
    const dataDir = path.join(world.folder, 'gateways', gatewayId);
    const gateway = await world.emulator.addGateway({ gateway: gatewayId, model: modelName.parse('PR-400KI'), dataDir });
    world.gateways.push(gateway);
    await gateway.enroll(invitation);
    gateway.start();

    const device = await seen('the gateway is online by the API', 15_000, async () => {
      const row = (await operator(world, 'gateway', 'show', gatewayId)) as { online: boolean; agent: string; model: string };
      return row.online ? row : undefined;
    });
    const connections = connectionsTo(gateway.agentPid ?? 0, mqtt);
    must(`a TCP connection to ${wanAddress}:${mqtt} in the gateway's own network namespace`, connections === 1, { connections });
    return { online: device.online, agent: device.agent, certificate: certificateOf(world, dataDir) };
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

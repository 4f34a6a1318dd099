/** What the demo's steps share: folders, addresses, secrets, and the people and things they made. */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { modelName } from '../../protocol/fields.ts';
import type { EmulatedGateway, Emulator } from '../../provider/emulator/index.ts';
import { get } from './look.ts';
import { tellProgram } from './programs.ts';
import { NotSeen, seen } from './story.ts';

export type World = {
  folder: string;
  serverData: string;
  providerFolder: string;
  tokenFile: string;
  ports: { api: number; https: number; mqtt: number };
  /** Sections of the server's configuration that are not the story's own. */
  serverConfig?: Readonly<Record<string, unknown>>;
  server?: ChildProcess;
  emulator?: Emulator;
  gateways: EmulatedGateway[];
  packageFile: string;
  packageSha256?: string;
  target?: string;
};

export const customers = {
  eligible: { id: 'T00000001', facts: ['--line', 'NEXT_OTHER', '--hgw', 'PR-400KI', '--denwa', 'STANDARD', '--office-eq', 'no'] },
  officePhone: {
    id: 'T00000008',
    facts: ['--line', 'NEXT_GIGA_SMART', '--hgw', 'PR-500KI', '--denwa', 'OFFICE_TYPE', '--office-eq', 'yes'],
  },
  newerGateway: { id: 'T00000002', facts: ['--line', 'NEXT_OTHER', '--hgw', 'RT-500MI', '--denwa', 'NONE', '--rental', 'yes'] },
  formerBflets: {
    id: 'T00000014',
    facts: [
      '--line',
      'NEXT_OTHER',
      '--hgw',
      'PR-400KI',
      '--denwa',
      'STANDARD',
      '--office-eq',
      'no',
      '--bflets',
      'yes',
      '--type-changed',
      'none',
    ],
  },
} as const;

/** Registers site and gateway, and connects it. */
export async function enrollGateway(
  world: World,
  gateway: string,
  model: string,
  customer: { id: string; facts: readonly string[] },
): Promise<EmulatedGateway> {
  const { site } = await operator(world, 'customer', 'add', '--customer-id', customer.id, ...customer.facts);
  await operator(world, 'gateway', 'add', gateway, '--model', model, '--site', String(site));
  return connectGateway(world, gateway, model);
}

/** Invites a registered gateway, and lets it enrol and connect. */
export async function connectGateway(world: World, gateway: string, model: string): Promise<EmulatedGateway> {
  const { emulator } = world;
  if (emulator === undefined) throw new NotSeen('no emulator was started');
  const invitation = path.join(world.folder, `invitation-${gateway}.json`);
  await operator(world, 'gateway', 'invite', gateway, '--out', invitation);
  const emulated = await emulator.addGateway({
    gateway,
    model: modelName.parse(model),
    dataDir: path.join(world.folder, 'gateways', gateway),
  });
  world.gateways.push(emulated);
  await emulated.enroll(invitation);
  emulated.start();
  await seen(
    `${gateway} is online by the API`,
    15_000,
    async () => (await api(world, `/gateways/${gateway}`)).online === true || undefined,
  );
  return emulated;
}

export async function makeWorld(folder: string): Promise<World> {
  const [api, https, mqtt] = await freePorts(3);
  const providerFolder = path.join(folder, 'provider');
  return {
    folder,
    serverData: path.join(folder, 'server'),
    providerFolder,
    tokenFile: path.join(folder, 'operator.token'),
    ports: { api: api ?? 0, https: https ?? 0, mqtt: mqtt ?? 0 },
    gateways: [],
    packageFile: path.join(providerFolder, 'demo.ipv4-1.0.0.tsg'),
  };
}

/** A verb of tsugite-server, asked as the operator. */
export function operator(world: World, ...args: string[]): Promise<Record<string, unknown>> {
  return tellProgram('server', [...args, ...operatorOptions(world)]);
}

export const operatorOptions = (world: World): string[] => [
  '--server',
  `http://127.0.0.1:${world.ports.api}`,
  '--token-file',
  world.tokenFile,
];

/** GET below /api/v1, as the operator. */
export async function api(world: World, route: string): Promise<Record<string, unknown>> {
  const token = readFileSync(world.tokenFile, 'utf8').trim();
  const answer = await get(`http://127.0.0.1:${world.ports.api}/api/v1${route}`, { headers: { authorization: `Bearer ${token}` } });
  if (answer.status !== 200) throw new NotSeen(`GET ${route}: ${answer.status}`, { body: answer.body.toString().slice(0, 500) });
  return JSON.parse(answer.body.toString());
}

/** The first one, unless another is named. */
export function gatewayOf(world: World, id?: string): EmulatedGateway {
  const gateway = world.gateways.find((candidate) => id === undefined || candidate.gateway === id);
  if (gateway === undefined) throw new NotSeen('no gateway was made');
  return gateway;
}

/** Asked of the system all at once, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

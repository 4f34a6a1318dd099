/**
 * A home whose gateway runs demo.ipv4, delivered the whole real way; then a thief stands in the server's place, with its certificate, its address
 * and its notice key. What a test wants to be less stolen, it leaves unused.
 */
import type { KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnvelope, payloadOf } from '../../protocol/dsse.ts';
import { type GatewayId, gatewayId, toUtcTime } from '../../protocol/fields.ts';
import { type Notice, parseNotice } from '../../protocol/statements/notice.ts';
import { type EmulatedGateway, startEmulator } from '../../provider/emulator/index.ts';
import { stopped } from '../../scripts/story/programs.ts';
import { packageSigned } from '../../scripts/story/steps/package-signed.ts';
import { providerCertified } from '../../scripts/story/steps/provider-certified.ts';
import { releaseAdmitted } from '../../scripts/story/steps/release-admitted.ts';
import { trustEstablished } from '../../scripts/story/steps/trust-established.ts';
import { seen } from '../../scripts/story/story.ts';
import { customers, enrollGateway, freePorts, makeWorld, operator, type World } from '../../scripts/story/world.ts';
import { aLineInTheMiddle, type LineInTheMiddle } from './line-in-the-middle.ts';
import { signNotice } from './mint.ts';
import { aStolenServer, type StolenServer } from './stolen-server.ts';

/** A home whose own server still runs; every byte between them goes through `line`. */
export type Home = {
  readonly world: World;
  readonly gateway: EmulatedGateway;
  readonly id: GatewayId;
  readonly line: { readonly https: LineInTheMiddle; readonly mqtt: LineInTheMiddle };
  /** Another address of the carrier's network: gateways call it there, it listens here. */
  readonly mirrorPort: number;
  stop(): Promise<void>;
};

export type HomeUnderAttack = Home & {
  readonly thief: StolenServer;
  /** The newest notice that the real server signed and the gateway applied. */
  readonly applied: Notice;
  /** The applied notice with changes, under the stolen notice key unless another is given. */
  signed(changes: Partial<Notice>, key?: KeyObject): Buffer;
};

export async function aHome(): Promise<Home> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-attack-'));
  chmodSync(folder, 0o711);
  const world = await makeWorld(folder);
  const [mirrorPort = 0] = await freePorts(1);
  for (const step of [trustEstablished, providerCertified, packageSigned, releaseAdmitted]) await step.run(world);
  const { https, mqtt } = world.ports;
  const line = { https: await aLineInTheMiddle(https), mqtt: await aLineInTheMiddle(mqtt) };
  const ways = [
    [https, line.https.port],
    [mqtt, line.mqtt.port],
    [mirrorPort, mirrorPort],
  ] as const;
  world.emulator = await startEmulator({ ports: new Map(ways.map(([called, port]) => [called, { host: '127.0.0.1', port }])) });
  const gateway = await enrollGateway(world, 'gw-pr400', 'PR-400KI', customers.eligible);
  const { target } = await operator(world, 'target', 'order', 'demo.ipv4', '--customer-id', customers.eligible.id, '--consent', 'D-0001');
  const isActive = async () => (await operator(world, 'target', 'show', String(target))).state === 'ACTIVE';
  await seen('demo.ipv4 runs', 25_000, async () => (await isActive()) || undefined);
  return {
    ...{ world, gateway, line, mirrorPort },
    id: gatewayId.parse(gateway.gateway),
    async stop() {
      await world.emulator?.stop();
      if (world.server !== undefined) await stopped(world.server, 10_000);
      await Promise.all([line.https.stop(), line.mqtt.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function aHomeUnderAttack(): Promise<HomeUnderAttack> {
  const home = await aHome();
  const { world, gateway } = home;
  await gateway.stop(); // its back-off would let the test wait
  if (world.server !== undefined) await stopped(world.server, 10_000);
  const thief = await inPlaceOfTheServer(world, gateway);
  gateway.start();
  await seen('the agent online at the thief', 40_000, () => (thief.presence(gatewayId.parse(gateway.gateway)) ? true : undefined));
  const applied = appliedNotice(gateway);
  return {
    ...home,
    thief,
    applied,
    signed: (changes, key = thief.noticeKey) => signNotice({ ...applied, ...changes }, [key]),
    async stop() {
      await thief.stop();
      await home.stop();
    },
  };
}

/** A stolen server for a gateway whose own server has stopped. */
export function inPlaceOfTheServer(world: World, { dataDir }: EmulatedGateway): Promise<StolenServer> {
  const identity = (name: string): string => readFileSync(path.join(dataDir, 'identity', name), 'utf8');
  const watcher = { certPem: identity('certificate.pem'), keyPem: identity('private-key.pem') };
  return aStolenServer({ serverData: world.serverData, ports: world.ports, watcher });
}

export function appliedNotice({ dataDir }: EmulatedGateway): Notice {
  const memory = JSON.parse(readFileSync(path.join(dataDir, 'trust/notice.json'), 'utf8'));
  return parseNotice(payloadOf(parseEnvelope(Buffer.from(memory.value?.envelope ?? memory.envelope, 'base64'))));
}

export const day = 86_400_000;
/** @returns so long ago, by the machine's clock; negative: so long from now */
export const ago = (ms: number): Notice['issuedAt'] => toUtcTime(Date.now() - ms);

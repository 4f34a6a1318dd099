/** A real server and an emulated gateway with one app that runs on it, made by the same steps as scripts/demo, and ended with `stop`. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { EmulatedGateway } from '../../provider/emulator/index.ts';
import { stopped } from '../story/programs.ts';
import { delivered } from '../story/steps/delivered.ts';
import { gatewayEnrolled } from '../story/steps/gateway-enrolled.ts';
import { packageSigned } from '../story/steps/package-signed.ts';
import { providerCertified } from '../story/steps/provider-certified.ts';
import { releaseAdmitted } from '../story/steps/release-admitted.ts';
import { trustEstablished } from '../story/steps/trust-established.ts';
import { tell } from '../story/story.ts';
import { gatewayOf, makeWorld, type World } from '../story/world.ts';

const steps = [trustEstablished, providerCertified, packageSigned, releaseAdmitted, gatewayEnrolled, delivered];

export async function withRunningGateway<Result>(
  say: (line: string) => void,
  job: (gateway: EmulatedGateway) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-bench-'));
  chmodSync(folder, 0o711);
  const world = await makeWorld(folder);
  process.once('exit', () => {
    world.server?.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    const outcomes = await tell(steps, world, () => {});
    const failed = outcomes.find(({ ok }) => !ok);
    if (failed !== undefined) throw new Error(`${failed.id}: ${JSON.stringify(failed.detail)}`);
    say('  server, gateway and app are there');
    return await job(gatewayOf(world));
  } finally {
    await end(world);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function end({ emulator, server }: World): Promise<void> {
  await emulator?.stop();
  if (server !== undefined) await stopped(server, 10_000);
}

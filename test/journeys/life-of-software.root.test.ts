/** What happens to installed software over the years: taken back, signed anew, erased by a reset, moved to another gateway. One system, told in order. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isBelow, processesWhere } from '../../scripts/story/processes.ts';
import { stopped, tellProgram } from '../../scripts/story/programs.ts';
import { delivered } from '../../scripts/story/steps/delivered.ts';
import { gatewayEnrolled } from '../../scripts/story/steps/gateway-enrolled.ts';
import { packageSigned } from '../../scripts/story/steps/package-signed.ts';
import { providerCertified } from '../../scripts/story/steps/provider-certified.ts';
import { releaseAdmitted } from '../../scripts/story/steps/release-admitted.ts';
import { trustEstablished } from '../../scripts/story/steps/trust-established.ts';
import { seen, tell } from '../../scripts/story/story.ts';
import { currentPackage, targetReaches, versionThatAnswers } from '../../scripts/story/targets.ts';
import { publishVariant } from '../../scripts/story/variants.ts';
import { api, connectGateway, gatewayOf, makeWorld, operator, type World } from '../../scripts/story/world.ts';

const withinMs = 40_000;
let world: World;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-life-'));
  chmodSync(folder, 0o711);
  world = await makeWorld(folder);
  const steps = [trustEstablished, providerCertified, packageSigned, releaseAdmitted, gatewayEnrolled, delivered];
  const outcomes = await tell(steps, world, () => {});
  expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
}, 120_000);

afterAll(async () => {
  await world.emulator?.stop();
  if (world.server !== undefined) await stopped(world.server, 10_000);
  rmSync(world.folder, { recursive: true, force: true });
});

const target = () => world.target ?? '';
const runs = (version: string) =>
  targetReaches(world, target(), `${version} is committed`, withinMs, (row) => row.state === 'ACTIVE' && row.committedVersion === version);
const appPids = () =>
  processesWhere((pid, command) => /^\S*node (\S+ )*\/app\/main\.js/.test(command) && isBelow(pid, gatewayOf(world).agentPid ?? -1));

test('the operator’s order takes a lower version back, and nothing else does', { timeout: 120_000 }, async () => {
  await publishVariant(world, { of: 'demo.ipv4', version: '1.1.0' });
  await operator(world, 'release', 'deploy', 'demo.ipv4', '1.1.0', '--target', target());
  await runs('1.1.0');

  const { targets } = await operator(world, 'release', 'deploy', 'demo.ipv4', '1.0.0', '--target', target());
  expect(targets).toMatchObject([{ outcome: 'refused', code: 'VERSION_NOT_HIGHER' }]);
  expect(await versionThatAnswers(world, 'demo.ipv4')).toBe('1.1.0');
  await operator(world, 'release', 'deploy', 'demo.ipv4', '1.0.0', '--target', target(), '--rollback', 'field trouble');
  await runs('1.0.0');

  expect(await versionThatAnswers(world, 'demo.ipv4')).toBe('1.0.0');
});

test('a package signed anew replaces the old one while the software goes on', { timeout: 120_000 }, async () => {
  const before = appPids();
  const chain = path.join(world.providerFolder, 'renewed.pem');
  await operator(
    world,
    'pki',
    'issue-provider',
    '--csr',
    path.join(world.providerFolder, 'provider.csr.pem'),
    '--provider',
    'demo',
    '--out',
    chain,
  );
  const renewed = path.join(world.providerFolder, 'renewed.tsg');
  const key = path.join(world.providerFolder, 'provider.key.pem');
  await tellProgram('provider', ['resign', world.packageFile, '--key', key, '--cert', chain, '--out', renewed]);

  const { sha256 } = await operator(world, 'release', 'admit', renewed);
  await seen(
    'the gateway has the renewed package',
    withinMs,
    () => currentPackage(gatewayOf(world).dataDir, 'demo', 'demo.ipv4') === sha256 || undefined,
  );

  expect(sha256).not.toBe(world.packageSha256);
  expect(appPids()).toEqual(before);
});

test('after a factory reset everything is delivered again', { timeout: 120_000 }, async () => {
  const gateway = gatewayOf(world);
  await gateway.stop();
  rmSync(gateway.dataDir, { recursive: true });
  const invitation = path.join(world.folder, 'invitation-after-reset.json');
  await operator(world, 'gateway', 'invite', gateway.gateway, '--out', invitation);

  await gateway.enroll(invitation);
  gateway.start();

  expect(await versionThatAnswersSoon()).toBe('1.0.0');
});

test('a swapped gateway gets the software, and the old one is cut off', { timeout: 120_000 }, async () => {
  const old = gatewayOf(world);
  await operator(world, 'contract', 'swap-device', '--gateway', old.gateway, '--new-gateway', 'gw-new', '--model', 'PR-400KI');
  const gateway = await connectGateway(world, 'gw-new', 'PR-400KI');
  world.gateways.reverse();

  await targetReaches(world, target(), 'it runs on the new gateway', withinMs, (row) => row.state === 'ACTIVE');
  expect(currentPackage(gateway.dataDir, 'demo', 'demo.ipv4')).toMatch(/^[0-9a-f]{64}$/);
  expect(await versionThatAnswersSoon()).toBe('1.0.0');
  expect(
    await seen('the old one is offline', 10_000, async () => (await api(world, `/gateways/${old.gateway}`)).online === false || undefined),
  ).toBe(true);
});

const versionThatAnswersSoon = () => seen('the software answers again', withinMs, () => versionThatAnswers(world, 'demo.ipv4'));

/** A gateway whose data folder is its own flash: what a household had written is in no byte of it once its line is cancelled. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stopped } from '../../scripts/story/programs.ts';
import { badUpdateRolledBack } from '../../scripts/story/steps/bad-update-rolled-back.ts';
import { delivered } from '../../scripts/story/steps/delivered.ts';
import { gatewayEnrolled } from '../../scripts/story/steps/gateway-enrolled.ts';
import { lineCancelledPurged } from '../../scripts/story/steps/line-cancelled-purged.ts';
import { packageSigned } from '../../scripts/story/steps/package-signed.ts';
import { providerCertified } from '../../scripts/story/steps/provider-certified.ts';
import { releaseAdmitted } from '../../scripts/story/steps/release-admitted.ts';
import { trustEstablished } from '../../scripts/story/steps/trust-established.ts';
import { householdMarker, updateCommitted } from '../../scripts/story/steps/update-committed.ts';
import { tell } from '../../scripts/story/story.ts';
import { makeWorld, type World } from '../../scripts/story/world.ts';
import { aFlash } from '../support/flash.ts';

const flashMegabytes = 128;
let world: World;
let flash: ReturnType<typeof aFlash>;

beforeAll(async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-flash-'));
  chmodSync(folder, 0o711);
  world = await makeWorld(folder);
  flash = aFlash(flashMegabytes, path.join(folder, 'gateways/gw-pr400'));
}, 30_000);
afterAll(async () => {
  await world.emulator?.stop();
  if (world.server !== undefined) await stopped(world.server, 10_000);
  flash.remove();
  rmSync(world.folder, { recursive: true, force: true });
}, 30_000);

const told = async (...steps: Parameters<typeof tell<World>>[0][]) => {
  const outcomes = await tell(steps.flat(), world, () => {});
  expect(outcomes.filter((outcome) => !outcome.ok)).toEqual([]);
};

test('an update, a rollback with its copy of the data, and the removal leave no raw byte of it', { timeout: 90_000 }, async () => {
  await told([trustEstablished, providerCertified, packageSigned, releaseAdmitted, gatewayEnrolled, delivered, updateCommitted]);
  expect(flash.holds(householdMarker)).toBe(true);
  await told([badUpdateRolledBack]);
  await told([lineCancelledPurged]);
  expect(flash.holds(householdMarker)).toBe(false);
});

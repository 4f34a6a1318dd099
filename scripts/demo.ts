/** The whole story on this machine: scripts/demo sets up and starts this. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { stopped, tellProgram } from './story/programs.ts';
import { airconSwitched } from './story/steps/aircon-switched.ts';
import { appAnswers } from './story/steps/app-answers.ts';
import { badUpdateRolledBack } from './story/steps/bad-update-rolled-back.ts';
import { delivered } from './story/steps/delivered.ts';
import { gatewayEnrolled } from './story/steps/gateway-enrolled.ts';
import { ineligibleExplained } from './story/steps/ineligible-explained.ts';
import { lineCancelledPurged } from './story/steps/line-cancelled-purged.ts';
import { neighbourUndisturbed } from './story/steps/neighbour-undisturbed.ts';
import { oversizeRefused } from './story/steps/oversize-refused.ts';
import { packageSigned } from './story/steps/package-signed.ts';
import { pageShowsSoftware } from './story/steps/page-shows-software.ts';
import { providerCertified } from './story/steps/provider-certified.ts';
import { releaseAdmitted } from './story/steps/release-admitted.ts';
import { tamperedRefused } from './story/steps/tampered-refused.ts';
import { trustEstablished } from './story/steps/trust-established.ts';
import { updateCommitted } from './story/steps/update-committed.ts';
import { tell } from './story/story.ts';
import { type ControlBytes, summary } from './story/summary.ts';
import { makeWorld, type World } from './story/world.ts';

const steps = [
  trustEstablished,
  providerCertified,
  packageSigned,
  releaseAdmitted,
  gatewayEnrolled,
  ineligibleExplained,
  delivered,
  pageShowsSoftware,
  appAnswers,
  airconSwitched,
  updateCommitted,
  badUpdateRolledBack,
  tamperedRefused,
  oversizeRefused,
  neighbourUndisturbed,
  lineCancelledPurged,
];
const usage = `scripts/demo [--keep] [--json]

  --keep   leave everything running afterwards, and print the addresses; Ctrl-C ends it
  --json   one object on stdout (progress goes to stderr)

exit 0 every step was seen · 1 a step failed · 2 wrong use`;

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) return 2;
  const write = (text: string): void => void (options.json ? process.stderr : process.stdout).write(text);
  if (options.help) {
    write(`${usage}\n`);
    return 0;
  }
  const startMs = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-demo-'));
  chmodSync(folder, 0o711); // the database's own user passes through; nobody lists it
  let isWanted = false;
  const world = await makeWorld(folder);
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, resolve);
  });
  // Also when this process ends in a way that nobody planned: no server stays behind.
  process.once('exit', () => world.server?.kill('SIGKILL'));
  try {
    write(`継手 Tsugite: ${folder}\n\n`);
    const outcomes = (await Promise.race([tell(steps, world, write), interrupted])) ?? [];
    const ok = outcomes.length === steps.length && outcomes.every((outcome) => outcome.ok);
    const controlBytes = ok ? await readControlBytes(world) : {};
    const tookMs = Math.round(performance.now() - startMs);
    if (options.json) process.stdout.write(`${JSON.stringify({ ok, tookMs, steps: outcomes, controlBytes })}\n`);
    write(summary({ ok, tookMs, outcomes, controlBytes, world, keep: options.keep }));
    if (options.keep && ok) await interrupted;
    isWanted = !ok;
    return ok ? 0 : 1;
  } finally {
    await world.emulator?.stop();
    if (world.server !== undefined) await stopped(world.server, 10_000);
    // After a failure the folder stays: logs and state are what tells the reason.
    if (isWanted) write(`logs and state: ${folder}\n`);
    else rmSync(folder, { recursive: true, force: true });
  }
}

function readOptions(): { keep: boolean; json: boolean; help: boolean } | undefined {
  try {
    const { values } = parseArgs({
      options: { keep: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
    });
    return { keep: values.keep === true, json: values.json === true, help: values.help === true };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${usage}\n`);
    return undefined;
  }
}

/** From each gateway's own ledger, as its technician reads it. */
async function readControlBytes(world: World): Promise<ControlBytes> {
  const entries = world.gateways.map(async (gateway) => {
    const status = (await tellProgram('agent', ['status', '--data', gateway.dataDir])) as {
      month: { usedBytes: number; byPurpose: Record<string, number> };
    };
    return [gateway.gateway, { total: status.month.usedBytes, ...status.month.byPurpose }] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

process.exitCode = await main();

import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const steps = [
  'trust-established',
  'provider-certified',
  'package-signed',
  'release-admitted',
  'gateway-enrolled',
  'ineligible-explained',
  'delivered',
  'page-shows-software',
  'app-answers',
  'aircon-switched',
  'update-committed',
  'bad-update-rolled-back',
  'tampered-refused',
  'oversize-refused',
  'neighbour-undisturbed',
  'line-cancelled-purged',
];
type Outcome = {
  ok: boolean;
  tookMs: number;
  steps: { id: string; ok: boolean; detail: unknown }[];
  controlBytes: Record<string, { total: number }>;
};

/** The demo looks at everything from outside, step by step; here it is told once and its outcome read. */
test('the whole story is told, and every step of it is seen', { timeout: 240_000 }, async () => {
  const { status, outcome, stderr } = await demo('--json');

  expect(outcome.steps.filter((step) => !step.ok)).toEqual([]);
  expect(status, stderr).toBe(0);
  expect(outcome.steps.map((step) => step.id)).toEqual(steps);
  expect(outcome.controlBytes['gw-pr400']?.total).toBeGreaterThan(1000);
  expect(leftNamespaces()).toEqual([]);
});

function demo(...args: string[]): Promise<{ status: number; outcome: Outcome; stderr: string }> {
  return new Promise((resolve) => {
    const file = path.resolve('dist/scripts/demo.js');
    const child = execFile(process.execPath, [file, ...args], { maxBuffer: 4_000_000 }, (_error, stdout, stderr) =>
      resolve({ status: child.exitCode ?? -1, outcome: JSON.parse(stdout), stderr }),
    );
  });
}

function leftNamespaces(): string[] {
  if (!existsSync('/run/netns')) return [];
  return readdirSync('/run/netns').filter((name) => name.startsWith('tsugite-') && !existsSync(`/proc/${name.split('-')[1]}`));
}

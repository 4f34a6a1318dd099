/** The counts of scripts/conformance, for people: on a terminal and as docs/CONFORMANCE.md. */
import type { ConformanceSuite } from './conformance-suites.ts';
import { type Outcome, sum } from './test-report.ts';

export type Counted = {
  readonly at: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly suites: readonly (ConformanceSuite & Outcome)[];
};

export function toText({ versions, suites }: Counted): string {
  const rows = suites.map(({ name, passed, failed, skipped }) => row(name, passed, failed, skipped));
  const total = sum(suites);
  const notPassed = suites.flatMap(({ name, failures, skips }) => [
    ...failures.map((test) => `FAILED  ${name}: ${test}`),
    ...skips.map((test) => `skipped ${name}: ${test}`),
  ]);
  const made = Object.entries(versions).map(([what, version]) => `${what} ${version}`);
  return [
    'suite          passed   failed  skipped',
    ...rows,
    row('all', total.passed, total.failed, total.skipped),
    ...notPassed,
    made.join(', '),
    '',
  ].join('\n');
}

function row(name: string, ...counts: readonly number[]): string {
  return `${name.padEnd(12)}${counts.map((count) => String(count).padStart(9)).join('')}`;
}

export function toDocument({ at, versions, suites }: Counted): string {
  const rows = suites.map(
    ({ name, promise, files, passed, failed, skipped }) =>
      `| \`${name}\` | ${promise.ja}<br>${promise.en} | ${passed} | ${failed} | ${skipped} | ${files.map((file) => `\`${file}\``).join(' ')} |`,
  );
  const skips = suites.flatMap(({ name, skips }) => skips.map((test) => `- ${name}: ${test}`));
  return [
    '# Conformance',
    '',
    '`scripts/conformance --write` ran these suites and wrote this page; `scripts/conformance` runs them again.',
    '',
    `${at.slice(0, 10)}, with ${Object.entries(versions)
      .map(([what, version]) => `${what} ${version}`)
      .join(', ')}.`,
    '',
    '| suite | promise | passed | failed | skipped | tests |',
    '|---|---|---:|---:|---:|---|',
    ...rows,
    '',
    ...(skips.length === 0 ? ['Nothing was skipped.'] : ['Skipped, with the reason in its name:', '', ...skips]),
    '',
  ].join('\n');
}

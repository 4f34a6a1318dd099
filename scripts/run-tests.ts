/** Runs the checks and the parts of the tests one after the other, and adds up what they found. Started by scripts/test. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Counts, countReport, type Outcome, slowestTests, sum, type VitestReport } from './support/test-report.ts';

type Suite = { readonly name: string; readonly seconds: number; readonly counts: Counts };
type Part = Suite & { readonly counts: Outcome; readonly report: VitestReport | undefined };

const checks: readonly (readonly [name: string, script: string])[] = [
  ['build', 'build'],
  ['types', 'typecheck'],
  ['lint', 'lint'],
  ['import arrows', 'deps'],
  ['dead code', 'dead'],
];
const parts = ['quick', 'real', 'debian15', 'root'] as const;

function timed<T>(run: () => T): { result: T; seconds: number } {
  const startedAt = performance.now();
  const result = run();
  return { result, seconds: (performance.now() - startedAt) / 1000 };
}

/** A check is one test: its output is shown only when it fails. */
function runCheck([name, script]: readonly [string, string]): Suite {
  const { result, seconds } = timed(() => spawnSync('npm', ['run', '--silent', script], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }));
  const passed = result.status === 0;
  process.stdout.write(`${passed ? 'ok    ' : 'FAILED'} ${name}\n`);
  if (!passed) process.stdout.write(`${result.stdout}${result.stderr}\n`);
  return { name, seconds, counts: { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 } };
}

function runPart(part: string, folder: string): Part {
  const file = path.join(folder, `${part}.json`);
  const { result, seconds } = timed(() =>
    spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--project', part, '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    ),
  );
  const report = readReport(file);
  return { name: `tests: ${part}`, seconds, counts: countReport(report, result.status), report };
}

/** A machine without root runs the rest; the part that it cannot run counts as one skipped test, so that the sum tells of it. */
function skipPart(part: string): Part {
  return {
    name: `tests: ${part}`,
    seconds: 0,
    counts: { passed: 0, failed: 0, skipped: 1, failures: [], skips: ['all of them: they need root'] },
    report: undefined,
  };
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined; // vitest ended before it could write one: counted as one failure
  }
}

const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-test-'));
const checkSuites = checks.map(runCheck);
const isRoot = process.getuid?.() === 0;
const partSuites = parts.map((part) => (part === 'root' && !isRoot ? skipPart(part) : runPart(part, folder)));
rmSync(folder, { recursive: true, force: true });

process.stdout.write('\nslowest tests\n');
for (const test of slowestTests(partSuites, 10)) process.stdout.write(`${test.seconds.toFixed(2).padStart(8)} s  ${test.name}\n`);

const suites: readonly Suite[] = [...checkSuites, ...partSuites];
process.stdout.write('\nsuite            seconds   passed   failed  skipped\n');
for (const { name, seconds, counts } of suites) {
  const figures = [counts.passed, counts.failed, counts.skipped].map((n) => String(n).padStart(9)).join('');
  process.stdout.write(`${name.padEnd(16)} ${seconds.toFixed(1).padStart(7)}${figures}\n`);
}
for (const { name, counts } of partSuites) {
  for (const skip of counts.skips) process.stdout.write(`skipped ${name}: ${skip}\n`);
  for (const failure of counts.failures) process.stdout.write(`FAILED  ${name}: ${failure}\n`);
}

const total = sum(suites.map((suite) => suite.counts));
process.exitCode = total.failed === 0 ? 0 : 1;
process.stdout.write(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);

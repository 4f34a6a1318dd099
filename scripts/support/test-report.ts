/** Reads vitest's JSON report. Whatever went wrong counts as a failure, also what is no test: a file that does not load, a stray rejection. */
import path from 'node:path';

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };
export type Outcome = Counts & { readonly failures: readonly string[]; readonly skips: readonly string[] };

export type VitestReport = {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string; readonly duration?: number | null }[];
  }[];
};

export function countReport(report: VitestReport | undefined, exitCode: number | null): Outcome {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0, failures: ['the test runner wrote no report'], skips: [] };
  const tests = report.testResults.flatMap((file) => file.assertionResults);
  const named = (isWanted: (status: string) => boolean): string[] =>
    tests.filter((test) => isWanted(test.status)).map((test) => test.fullName);
  const brokenFiles = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  );
  const failures = [
    ...named((status) => status === 'failed'),
    ...brokenFiles.map((file) => `${path.relative('.', file.name)} (the file itself)`),
  ];
  if (tests.length === 0 && failures.length === 0) failures.push('no test was found');
  if (failures.length === 0 && (exitCode !== 0 || !report.success)) failures.push('an error outside every test: see the output above');
  const skips = named((status) => status !== 'passed' && status !== 'failed');
  return { passed: named((status) => status === 'passed').length, failed: failures.length, skipped: skips.length, failures, skips };
}

export function slowestTests(parts: readonly { report: VitestReport | undefined }[], count: number): { name: string; seconds: number }[] {
  return parts
    .flatMap(({ report }) => report?.testResults ?? [])
    .flatMap((file) => file.assertionResults)
    .map((test) => ({ name: test.fullName, seconds: (test.duration ?? 0) / 1000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, count);
}

export function sum(counts: readonly Counts[]): Counts {
  return counts.reduce(
    (total, { passed, failed, skipped }) => ({
      passed: total.passed + passed,
      failed: total.failed + failed,
      skipped: total.skipped + skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );
}

import { expect, test } from 'vitest';
import { countReport, slowestTests, sum, type VitestReport } from '../../scripts/support/test-report.ts';

const passed = (fullName: string, duration = 1) => ({ fullName, status: 'passed', duration });
const aFile = (assertionResults: VitestReport['testResults'][number]['assertionResults'], status = 'passed') => ({
  name: 'test/a.test.ts',
  status,
  assertionResults,
});
const aReport = (...testResults: VitestReport['testResults']): VitestReport => ({ success: true, testResults });

test('tests are counted by how they ended', () => {
  const report = aReport(
    aFile(
      [passed('a'), { fullName: 'b', status: 'failed' }, { fullName: 'c', status: 'pending' }, { fullName: 'd', status: 'todo' }],
      'failed',
    ),
  );
  expect(countReport(report, 1)).toEqual({ passed: 1, failed: 1, skipped: 2, failures: ['b'], skips: ['c', 'd'] });
});

test('a file that does not load is a failure, although no test of it failed', () => {
  const report = aReport(aFile([passed('a')]), aFile([], 'failed'));
  expect(countReport(report, 1)).toMatchObject({ passed: 1, failed: 1, failures: ['test/a.test.ts (the file itself)'] });
});

test('a run that ends badly while every test passed is a failure', () => {
  expect(countReport(aReport(aFile([passed('a')])), 1)).toMatchObject({ passed: 1, failed: 1 });
});

test('a run without a report is a failure', () => {
  expect(countReport(undefined, 0)).toMatchObject({ passed: 0, failed: 1 });
});

test('a part that found no test is a failure', () => {
  expect(countReport(aReport(), 0)).toMatchObject({ failed: 1, failures: ['no test was found'] });
});

test('the slowest tests come first, those of all parts together', () => {
  const parts = [
    { report: aReport(aFile([passed('quick', 10)])) },
    { report: undefined },
    { report: aReport(aFile([passed('slow', 2_000)])) },
  ];
  expect(slowestTests(parts, 1)).toEqual([{ name: 'slow', seconds: 2 }]);
});

test('the sum is over checks and tests', () => {
  expect(
    sum([
      { passed: 1, failed: 0, skipped: 0 },
      { passed: 2, failed: 1, skipped: 3 },
    ]),
  ).toEqual({ passed: 3, failed: 1, skipped: 3 });
});

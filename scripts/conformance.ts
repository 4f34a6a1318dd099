/** Runs the suites of scripts/support/conformance-suites.ts and counts what they found: scripts/conformance sets up and starts this. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { toDocument, toText } from './support/conformance-document.ts';
import { type ConformanceSuite, conformanceSuites, suiteNames } from './support/conformance-suites.ts';
import { countReport, type Outcome, sum, type VitestReport } from './support/test-report.ts';
import { versionsHere } from './support/versions.ts';

const usage = `scripts/conformance [SUITE…] [--json] [--write]

  SUITE     ${suiteNames.join(' ')}; all of them unless some are named
  --json    one object on stdout: {at, versions, suites:[{name, passed, failed, skipped}]} (progress goes to stderr)
  --write   writes docs/CONFORMANCE.md; only with every suite

exit 0 nothing failed · 1 something failed · 2 wrong use`;

type Asked = { readonly names: readonly string[]; readonly isJson: boolean; readonly writes: boolean };

function readArguments(args: readonly string[]): Asked | 'help' {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean' }, write: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) return 'help';
  const unknown = positionals.filter((name) => !suiteNames.includes(name));
  if (unknown.length > 0) throw new Error(`there is no suite ${unknown.join(', ')}`);
  if (values.write === true && positionals.length > 0) throw new Error('--write: only with every suite');
  return { names: positionals.length > 0 ? positionals : suiteNames, isJson: values.json === true, writes: values.write === true };
}

async function run({ files }: ConformanceSuite, folder: string): Promise<Outcome> {
  const report = path.join(folder, 'report.json');
  rmSync(report, { force: true });
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', ...files, '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`],
    { stdio: ['ignore', 2, 2] },
  );
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return countReport(readReport(report), exitCode);
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined; // counted as one failure
  }
}

async function main(args: readonly string[]): Promise<number> {
  let asked: Asked | 'help';
  try {
    asked = readArguments(args);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
    return 2;
  }
  if (asked === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-conformance-'));
  const suites = [];
  for (const suite of conformanceSuites.filter(({ name }) => asked.names.includes(name))) {
    process.stderr.write(`\n${suite.name}: ${suite.promise.en}\n`);
    suites.push({ ...suite, ...(await run(suite, folder)) });
  }
  rmSync(folder, { recursive: true, force: true });
  const result = { at: new Date().toISOString(), versions: versionsHere(), suites };
  if (asked.writes) writeFileSync('docs/CONFORMANCE.md', toDocument(result));
  const counts = suites.map(({ name, passed, failed, skipped }) => ({ name, passed, failed, skipped }));
  process.stdout.write(asked.isJson ? `${JSON.stringify({ ...result, suites: counts })}\n` : toText(result));
  return sum(suites).failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));

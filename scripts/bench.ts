/** Measures one thing and says it in figures: scripts/bench sets up and starts this. */
import { measureFootprint } from './benches/footprint.ts';
import { measureInstall } from './benches/install.ts';
import { describeMachine } from './benches/machine.ts';
import { notBuilt, readOptions } from './benches/options.ts';
import { type Bench, toText } from './benches/result.ts';
import { measureServer } from './benches/server.ts';

const benches = new Map<string, Bench>([
  ['install', measureInstall],
  ['footprint', measureFootprint],
  ['server', measureServer],
]);

const usage = `scripts/bench <${[...benches.keys()].join('|')}> [--json] [--rounds N]

  install     verify, unpack and make durable, against sha256sum + tar + sync on the same file system
  footprint   memory, start and code of an idle agent that is connected and runs one app
  server      a month closed for 100,000 targets

  --rounds N  how often each thing is measured; one more round before the first is dropped
  --json      one object on stdout: {bench, host, at, rows, goals} (progress goes to stderr)

Not built yet: ${notBuilt.join(', ')}.
exit 0 measured, goals met or not · 1 could not be measured · 2 wrong use`;

async function main(args: readonly string[]): Promise<number> {
  const asked = readOptions(args, [...benches.keys()]);
  if (asked.kind === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  if (asked.kind === 'wrong') {
    process.stderr.write(`${asked.why}\n\n${usage}\n`);
    return 2;
  }
  const { bench, isJson, rounds } = asked;
  const at = new Date().toISOString();
  try {
    const measured = await (benches.get(bench) as Bench)({ rounds, say: (line) => void process.stderr.write(`${line}\n`) });
    const result = { bench, host: describeMachine(), at, ...measured };
    process.stdout.write(isJson ? `${JSON.stringify(result)}\n` : toText(result));
    return 0;
  } catch (error) {
    process.stderr.write(`${bench}: ${error instanceof Error ? (error.stack ?? error.message) : error}\n`);
    return 1;
  }
}

// Each bench takes down what it has set up when the process exits, so Ctrl-C must be an exit.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
process.exitCode = await main(process.argv.slice(2));

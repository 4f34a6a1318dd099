import { addLocalVerbs } from './cli/local-verbs.ts';
import { runProgram } from './cli/program.ts';
import { init, startServer } from './compose.ts';
import { cliDefaults } from './config.ts';

/** The second signal is the operator's impatience: the default action ends the process at once. */
const stopAsked = () =>
  new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });

const streams = { out: (text: string) => process.stdout.write(text), err: (text: string) => process.stderr.write(text) };
process.exitCode = await runProgram(process.argv.slice(2), streams, cliDefaults(), addLocalVerbs({ init, start: startServer, stopAsked }));

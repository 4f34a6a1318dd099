import { addBackupVerbs } from './cli/backup-verbs.ts';
import { addLocalVerbs, type LocalWork } from './cli/local-verbs.ts';
import { addOutsideVerbs } from './cli/outside-verbs.ts';
import { runProgram } from './cli/program.ts';
import { addRescueVerb } from './cli/rescue-verb.ts';
import { cliDefaults } from './config.ts';

/** The second signal is the operator's impatience: the default action ends the process at once. */
const stopAsked = () =>
  new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });

// Loaded only by the verbs that work on a data folder: the others ask it over HTTP, and should not wait for a database driver.
const compose = () => import('./compose.ts');

const streams = { out: (text: string) => process.stdout.write(text), err: (text: string) => process.stderr.write(text) };
const localWork: LocalWork = {
  init: async (...args) => (await compose()).init(...args),
  start: async (...args) => (await compose()).startServer(...args),
  stopAsked,
};
const defaults = cliDefaults();
const addBackup = addBackupVerbs({
  safekeeping: async () => (await import('./compose/safekeeping.ts')).safekeeping,
  person: defaults.person,
  err: streams.err,
});
const addLocal = addLocalVerbs(localWork);
const addRescue = addRescueVerb({
  rescue: async (...args) => (await import('./compose/rescue.ts')).rescueToken(...args),
  person: defaults.person,
});
const addOutside = addOutsideVerbs({ programs: () => import('./compose/outside-programs.ts') });
process.exitCode = await runProgram(process.argv.slice(2), streams, defaults, (verbs, answerNow) => {
  addLocal(verbs, answerNow);
  addBackup(verbs);
  addRescue(verbs);
  addOutside(verbs);
});
// The answer is given. A connection that the other side leaves open, as PostgreSQL does for a minute after a wrong password, must not keep us.
setTimeout(() => process.exit(), 1_000).unref();

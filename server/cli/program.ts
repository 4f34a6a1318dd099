/** The command line of `tsugite-server`: every verb, its options and help. Verbs that ask a running server go through its API. */
import { Command, CommanderError } from 'commander';
import { type Answer, exitCode, type Streams, writeAnswer, writeFailure } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { type ApiClient, makeApiClient, readInput } from './api-client.ts';
import { addApplicationVerbs } from './application-verbs.ts';
import { asLines } from './as-lines.ts';
import { addAuditVerbs } from './audit-verbs.ts';
import { addBillingVerbs } from './billing-verbs.ts';
import { addCatalogueVerb } from './catalogue-verb.ts';
import { addCertificateVerbs } from './certificate-verbs.ts';
import { addChangeVerbs } from './change-verbs.ts';
import { addConsentVerbs } from './consent-verbs.ts';
import { addContractVerbs } from './contract-verbs.ts';
import { addCustomerVerbs } from './customer-verbs.ts';
import { addEthicsVerbs } from './ethics-verbs.ts';
import { addExplainVerb } from './explain-verb.ts';
import { addGatewayVerbs } from './gateway-verbs.ts';
import { addNotDeliveredVerb } from './not-delivered-verb.ts';
import { addPrivacyVerbs } from './privacy-verbs.ts';
import { addProviderVerbs } from './provider-verbs.ts';
import { addReportVerb } from './report-verb.ts';
import { addRestoreVerbs } from './restore-verbs.ts';
import { addTargetVerbs } from './target-verbs.ts';
import { addTokenVerbs } from './token-verbs.ts';
import { addWorkVerbs } from './work-verbs.ts';

/** What every verb is given: a command with the common options, and the ways to answer. */
export type Verbs = {
  /** @param path  `gateway invite`: the group is made when it is new */
  verb(path: string, description: string): Command;
  answer(result: Answer): void;
  /** An answer that is just a value of the API. */
  show(value: unknown, name?: string): void;
  api(command: Command): ApiClient;
};

export type Defaults = { readonly server: string; readonly token: string | undefined };
/** Verbs of this machine: they need a data folder, not a server. */
export type AddLocalVerbs = (verbs: Verbs, answerNow: (result: Answer) => void) => void;

const everyVerb = [
  addProviderVerbs,
  addCertificateVerbs,
  addWorkVerbs,
  addCustomerVerbs,
  addPrivacyVerbs,
  addContractVerbs,
  addConsentVerbs,
  addApplicationVerbs,
  addGatewayVerbs,
  addTargetVerbs,
  addChangeVerbs,
  addExplainVerb,
  addReportVerb,
  addNotDeliveredVerb,
  addCatalogueVerb,
  addEthicsVerbs,
  addBillingVerbs,
  addTokenVerbs,
  addAuditVerbs,
  addRestoreVerbs,
];

/** @returns the exit code */
export async function runProgram(
  argv: readonly string[],
  streams: Streams,
  defaults: Defaults,
  addLocalVerbs: AddLocalVerbs,
): Promise<number> {
  const isJson = argv.includes('--json');
  let answer: Answer | undefined;
  const program = makeProgram(streams);
  const verbs = makeVerbs(program, defaults, (result) => {
    answer = result;
  });
  addLocalVerbs(verbs, (result) => writeAnswer(result, isJson, streams));
  for (const add of everyVerb) add(verbs);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    if (answer !== undefined) writeAnswer(answer, isJson, streams);
    return exitCode.done;
  } catch (error) {
    if (!(error instanceof CommanderError)) return writeFailure(error, isJson, streams);
    if (error.exitCode === 0) return exitCode.done; // --help, --version
    if (error.code === 'commander.help') return exitCode.usage; // no verb: the help was shown
    return writeFailure(new TsugiteError('USAGE_WRONG', { at: error.message.replace(/^error: /, '') }), isJson, streams);
  }
}

function makeProgram(streams: Streams): Command {
  return new Command('tsugite-server')
    .description('The distribution server: admits, prices, decides and delivers（配信サーバー）')
    .version('1.0.0')
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeOut: streams.out, writeErr: streams.err, outputError: () => {} });
}

function makeVerbs(program: Command, defaults: Defaults, answer: (result: Answer) => void): Verbs {
  const groups = new Map<string, Command>();
  const groupOf = (name: string) => {
    // Positional: a group may be a verb too (`restore`), and what stands behind `confirm` is for `restore confirm`.
    const group = groups.get(name) ?? program.command(name).description(`${name} …`).enablePositionalOptions();
    groups.set(name, group);
    return group;
  };
  return {
    answer,
    show: (value, name) => {
      const isList = Array.isArray(value);
      answer({ value: isList ? { [name ?? 'items']: value } : (value as Record<string, unknown>), lines: asLines(value) });
    },
    verb: (path, description) => {
      const [first = '', second] = path.split(' ');
      const command = second === undefined ? groupOf(first) : groupOf(first).command(second);
      return command
        .description(description)
        .option('--json', 'one JSON object on stdout, progress on stderr')
        .option('--data <dir>', "the server's data folder")
        .option('--config <file>', 'configuration file')
        .option('--server <url>', `address of the API (default: ${defaults.server})`)
        .option('--token-file <file>', 'file that holds the access token (default: environment TSUGITE_TOKEN)');
    },
    api: (command) => {
      const { server, tokenFile } = command.opts<{ server?: string; tokenFile?: string }>();
      const token = (tokenFile === undefined ? defaults.token : readInput(tokenFile))?.trim();
      if (token === undefined || token === '') throw new TsugiteError('API_UNAUTHENTICATED', { expected: '--token-file | TSUGITE_TOKEN' });
      return makeApiClient({ server: serverOf(server ?? defaults.server), token });
    },
  };
}

function serverOf(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new TsugiteError('USAGE_WRONG', { at: `--server ${text}` });
  return text;
}

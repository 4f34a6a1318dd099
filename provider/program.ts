/** The command line of `tsugite`: every verb, its options and help. A verb's work is in commands/; those that speak to a server are in server-verbs.ts. */
import { Command, CommanderError } from 'commander';
import { type Answer, exitCode, type Streams, writeAnswer, writeFailure } from '../protocol/command-output.ts';
import { TsugiteError } from '../protocol/errors.ts';
import { emulateGateway } from './commands/emulate.ts';
import { initFolder } from './commands/init.ts';
import { generateKey, importPkcs12 } from './commands/keygen.ts';
import { measureInputs } from './commands/measure.ts';
import { packFolder } from './commands/pack.ts';
import { resignFile, signBuild } from './commands/sign.ts';
import { verifyFile } from './commands/verify.ts';
import { addServerVerbs } from './server-verbs.ts';
import { realSurroundings, type Surroundings } from './surroundings.ts';

/** @returns the exit code */
export async function run(argv: readonly string[], streams: Streams, surroundings: Surroundings = realSurroundings()): Promise<number> {
  const isJson = argv.includes('--json');
  let answer: Answer | undefined;
  const program = makeProgram(
    (result) => {
      answer = result;
    },
    (result) => writeAnswer(result, isJson, streams),
    streams,
    surroundings,
  );
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

/** @param answerNow  for a verb that goes on after its answer */
function makeProgram(
  answer: (result: Answer) => void,
  answerNow: (result: Answer) => void,
  streams: Streams,
  surroundings: Surroundings,
): Command {
  const program = new Command('tsugite')
    .description("The provider's kit: pack, price, sign and check software for home gateways（事業者用ツール）")
    .version('1.0.0')
    .exitOverride()
    .showHelpAfterError(false)
    .configureOutput({ writeOut: streams.out, writeErr: streams.err, outputError: () => {} });

  const verb = (name: string, description: string, group: Command = program): Command =>
    group
      .command(name)
      .description(description)
      .option('--json', 'one JSON object on stdout, progress on stderr')
      .option('--data <dir>', "this tool's own folder (credentials)")
      .option('--config <file>', 'configuration file');

  verb('init', 'make a folder that works: manifest.json, app/ and README.md（ひな形を作る）')
    .argument('<dir>', 'folder to make; must be new or empty')
    .option('--provider <id>', 'provider id, as in the certificate', 'example')
    .option('--software <id>', 'software id, also its page prefix (default: hello.<provider>)')
    .action((dir, options) => answer(initFolder(dir, options)));

  verb('keygen', 'make an RSA-3072 key and a certificate request, or take them from a PKCS#12 file（鍵とCSRを作る）')
    .requiredOption('--out <dir>', 'folder for provider.key.pem (0600) and provider.csr.pem or provider.chain.pem')
    .option('--provider <id>', 'provider id, given by the operator')
    .option('--org <name>', 'name of the organisation, shown to people')
    .option('--pkcs12 <file>', 'take key and certificates from this file instead')
    .option('--password-file <file>', "file that holds the PKCS#12 file's password")
    .action((options) => answer(options.pkcs12 === undefined ? generateKey(options) : importPkcs12(options)));

  verb('pack', 'pack a folder: manifest.json and payload.tar.br, not yet signed（パッケージを作る）')
    .argument('<dir>', 'folder with manifest.json and app/')
    .requiredOption('--out <build>', 'folder for the result')
    .action((dir, options) => answer(packFolder(dir, options.out)));

  verb('measure', 'sizes, price and which models take it（サイズ・料金・対応機種を調べる）')
    .argument('<inputs...>', "a release's packages: .tsg files, packed builds or source folders")
    .option('--targets <n>', 'number of target sites', '1')
    .option('--model <model>', 'ask for one model: exit 3 when it refuses')
    .action(async (inputs, options) => answer(await measureInputs(inputs, options)));

  verb('sign', 'sign a packed build（署名する）')
    .argument('<build>', 'folder made by pack')
    .requiredOption('--key <file>', 'private key, PEM')
    .requiredOption('--cert <chain>', 'certificates, PEM: the signer first, then each issuer')
    .requiredOption('--out <file>', 'the .tsg file to write')
    .option('--password-file <file>', "file that holds the key's passphrase")
    .action(async (build, options) => answer(await signBuild(build, options)));

  verb('resign', 'sign a package anew with a renewed certificate; manifest and payload stay（署名を更新する）')
    .argument('<file>', 'the .tsg file')
    .requiredOption('--key <file>', 'private key, PEM')
    .requiredOption('--cert <chain>', 'certificates, PEM: the signer first, then each issuer')
    .requiredOption('--out <file>', 'the .tsg file to write')
    .option('--password-file <file>', "file that holds the key's passphrase")
    .action(async (file, options) => answer(await resignFile(file, options)));

  verb('verify', 'check a package as a gateway does; writes nothing（検証する）')
    .argument('[file]', 'the .tsg file')
    .option('--ca <pem...>', 'pinned provider CAs')
    .option('--root <root>', 'root statement: takes its provider CAs and revocations')
    .option('--at <time>', 'trusted time, RFC 3339 (default: now)')
    .action(async (file, options) => answer(await verifyFile(file, options)));

  addServerVerbs({ program, verb, answer, say: (line) => streams.err(`${line}\n`), surroundings });

  verb('emulate', 'run an emulated gateway against a server on this machine（ホームゲートウェイをエミュレートする）')
    .requiredOption('--invitation <file>', 'from tsugite-server gateway invite')
    .requiredOption('--out <dir>', "folder for the gateway's data; one that was enrolled before goes on")
    .option('--model <model>', 'HGW model', 'PR-500KI')
    .option('--server-address <address>', 'where the server listens on this machine', '127.0.0.1')
    .action((options) => emulateGateway(options, answerNow));

  return program;
}

/** The verbs of `tsugite` that speak to a distribution server, from the login to the halt. */
import { type Command, Option } from 'commander';
import type { Answer } from '../protocol/command-output.ts';
import { TsugiteError } from '../protocol/errors.ts';
import type { ServerApi } from './adapters/server-api.ts';
import { fetchCertificate, listRequests, requestCertificate } from './commands/certificate.ts';
import { haltRelease } from './commands/halt.ts';
import { listLogins, login, logout } from './commands/login.ts';
import { orderDelivery } from './commands/order.ts';
import { discardUpload, listUploads, publishFiles } from './commands/publish.ts';
import { quoteInputs } from './commands/quote.ts';
import { showReport } from './commands/report.ts';
import { openSession, type ServerOptions } from './commands/session.ts';
import { consentScopes } from './rules/order-table.ts';
import type { Surroundings } from './surroundings.ts';

type Parts = {
  readonly program: Command;
  readonly verb: (name: string, description: string, group?: Command) => Command;
  readonly answer: (result: Answer) => void;
  /** Progress: standard error. */
  readonly say: (line: string) => void;
  readonly surroundings: Surroundings;
};

export function addServerVerbs({ program, verb, answer, say, surroundings }: Parts): void {
  const { terminal } = surroundings;
  const serverVerb = (name: string, description: string, group?: Command) =>
    verb(name, description, group).option('--server <url>', 'another server than the one logged in to last');
  const api = (options: ServerOptions): ServerApi => openSession(options, surroundings);

  verb('login', 'log in to a distribution server; the token is tried there, and kept for you alone（ログインする）')
    .argument('[url]', 'address of its API, https://…')
    .option('--token-file <file>', 'file with the token that the operator gave out, or - for standard input (default: asks)')
    .option('--ca <file>', 'PEM, for a server whose certificate no public authority issued')
    .option('--list', 'show the servers that are logged in to')
    .action(async (url, options) => {
      if (options.list === true) return answer(listLogins(options, surroundings));
      if (url === undefined) throw new TsugiteError('USAGE_WRONG', { at: 'login URL | login --list' });
      answer(await login(url, options, surroundings));
    });
  verb('logout', 'forget the token of a server（ログアウトする）')
    .argument('[url]', 'default: the server logged in to last')
    .action((url, options) => answer(logout(url, options, surroundings)));

  const certificates = program.command('certificate').description('the certificate that software is signed under（署名用の証明書）');
  serverVerb('request', 'send the request that keygen made to the operator（申請する）', certificates)
    .requiredOption('--csr <file>', 'provider.csr.pem')
    .action(async (options) => answer(await requestCertificate(options.csr, api(options))));
  serverVerb('fetch', 'write the certificate chain, once the operator has issued it（受け取る）', certificates)
    .argument('<request>', 'id of the request')
    .requiredOption('--out <file>', 'certificate chain to write, PEM')
    .option('--key <file>', 'the private key: the certificate has to be its own')
    .action(async (request, options) => answer(await fetchCertificate(request, options, api(options))));
  serverVerb('list', 'requests and what became of them（一覧）', certificates).action(async (options) =>
    answer(await listRequests(api(options))),
  );

  serverVerb('quote', 'what registering would cost: once, by the month, and from when on（料金を見積もる）')
    .argument('[inputs...]', '.tsg files, packed builds or source folders; of several software they are one work order')
    .option('--targets <n>', 'number of target sites (default: those that it has now)')
    .addOption(
      new Option('--work <kind>', 'kind of work (default: new for what is not registered, change for what is)').choices([
        'new',
        'change',
        'other',
      ]),
    )
    .option('--software <id>', 'in place of inputs, with --stored and --installed; without them the work alone (--work other)')
    .option('--stored <bytes>', 'size of the .tsg file')
    .option('--installed <bytes>', 'size of its files when unpacked')
    .action(async (inputs: string[], options) => answer(await quoteInputs(inputs, options, api(options))));

  serverVerb('publish', 'upload packages, show the price, ask, and register them（登録して公開する）')
    .argument('[files...]', '.tsg files; of several software they become one work order')
    .option('--yes', 'accept the price without being asked')
    .option('--list', 'what is uploaded and not registered')
    .option('--discard <release>', 'drop an upload that will not be registered')
    .action(async (files: string[], options) => {
      const wanted = [files.length > 0, options.list === true, options.discard !== undefined].filter(Boolean);
      if (wanted.length !== 1) throw new TsugiteError('USAGE_WRONG', { at: 'publish FILE… | --list | --discard RELEASE' });
      const doors = { api: api(options), say, terminal };
      if (options.list === true) return answer(await listUploads(doors));
      if (options.discard !== undefined) return answer(await discardUpload(options.discard, doors));
      answer(await publishFiles(files, options, doors));
    });

  serverVerb('order', 'order delivery to a customer, or to the customers of a table（配信を申し込む）')
    .argument('<software>', 'software id')
    .option(
      '--customer-id-file <file>',
      'file with the お客さまID, or - for standard input (default: asks); it never stands on the command line',
    )
    .option('--application <id>', 'the application whose step 5 this is; in place of the お客さまID once that is known')
    .option('--site <id>', 'when the customer has several')
    .option('--consent <reference>', "your number of the customer's application")
    .option('--consent-by <who>', 'who gave it', 'お客さまご本人')
    .option('--consent-how <how>', 'how it was given', 'サービス利用申し込み')
    .option('--consent-at <time>', 'when, RFC 3339 (default: now)')
    .addOption(new Option('--scope <scope...>', 'what was consented to').choices(consentScopes).default(['delivery']))
    .option(
      '--csv <file>',
      'table with a header: customerId, consent, consentBy, consentHow, consentAt, scopes, site; - for standard input',
    )
    .action(async (software, options) => answer(await orderDelivery(software, options, { api: api(options), say, terminal })));

  serverVerb('halt', 'no new installs of a release; running copies stay as they are（新たなインストールを停止する）')
    .argument('<software>', 'software id')
    .argument('<version>', 'version')
    .requiredOption('--reason <text>', 'why')
    .option('--resume', 'let it be installed again')
    .action(async (software, version, options) => answer(await haltRelease(software, version, options, api(options))));

  serverVerb('report', 'installs and failures by model and code, memory peaks, what is billed and not installed（配信状況を見る）')
    .option('--software <id>', 'of this software alone')
    .option('--month <YYYY-MM>', 'a month in Japan (default: the last 30 days)')
    .action(async (options) => answer(await showReport(options, api(options))));
}

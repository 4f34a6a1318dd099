/** init and run: the verbs that work on a data folder of this machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TsugiteError } from '../../protocol/errors.ts';
import { httpsUrl } from '../../protocol/fields.ts';
import type { Initialised, InitWishes } from '../compose/init.ts';
import type { RunningServer } from '../compose.ts';
import { loadConfig, type ServerConfig } from '../config.ts';
import type { AddLocalVerbs } from './program.ts';
import { writeNew } from './provider-verbs.ts';

export type LocalWork = {
  readonly init: (dir: string, wishes: InitWishes, config: ServerConfig) => Promise<Initialised>;
  readonly start: (dir: string, config: ServerConfig) => Promise<RunningServer>;
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly stopAsked: () => Promise<void>;
};

type Options = { data?: string; config?: string; publicHost?: string[]; packageBase?: string[]; operatorName?: string; tokenOut?: string };

export function addLocalVerbs({ init, start, stopAsked }: LocalWork): AddLocalVerbs {
  return ({ verb, answer }, answerNow) => {
    verb('init', 'make the keys, the authorities, the first root and the database of a new installation')
      .option('--public-host <host...>', 'names and addresses under which gateways find this server; the first stands in invitations')
      .option('--package-base <url...>', 'https addresses besides this server at which gateways find packages: a mirror, a CDN')
      .option('--operator-name <name>', "the operator's name, shown to people")
      .option('--token-out <file>', "write the operator's token to this file (0600) instead of showing it")
      .action(async (options: Options) => {
        const dir = dataOf(options);
        const [publicHost] = options.publicHost ?? [];
        const config = withChoices(loadConfig(configOf(options)), publicHost, options.operatorName);
        const { operatorToken, ...made } = await init(
          dir,
          { publicHosts: options.publicHost ?? [], packageBases: basesOf(options) },
          config,
        );
        if (options.config === undefined && !existsSync(join(dir, 'config.json')))
          writeNew(join(dir, 'config.json'), choicesAsFile(config));
        if (options.tokenOut !== undefined) writeNew(options.tokenOut, `${operatorToken}\n`, 0o600);
        answer({
          value: options.tokenOut === undefined ? { ...made, operatorToken } : { ...made, tokenOut: options.tokenOut },
          lines: [
            `${made.data} を準備しました / is ready`,
            `  ルート鍵 ${made.offlineRoot}: サーバーから取り外してください / take it away from this machine`,
            ...made.rootKeys.map((keyid) => `    ${keyid}`),
            `  配信通知の鍵 ${made.noticeKey}`,
            `  サーバー証明書 ${made.publicHosts.join(' ')}`,
            options.tokenOut === undefined
              ? `  運用者のトークン（再表示されません / shown once）: ${operatorToken}`
              : `  運用者のトークン → ${options.tokenOut}`,
          ],
        });
      });

    verb('run', 'run the server until it is told to stop（SIGTERM, SIGINT）').action(async (options: Options) => {
      const server = await start(dataOf(options), loadConfig(configOf(options)));
      const { api, https, mqtt } = server.addresses;
      const asked = stopAsked(); // whoever reads the answer may stop us at once
      answerNow({ value: { api, https, mqtt, pid: process.pid }, lines: [`API    ${api}`, `HTTPS  ${https}`, `MQTT   ${mqtt}`] });
      const fault = await Promise.race([asked, server.broken]);
      await server.stop();
      if (fault instanceof Error) throw fault;
    });
  };
}

/** @throws TsugiteError USAGE_WRONG */
export function dataOf({ data }: { data?: string }): string {
  if (data === undefined) throw new TsugiteError('USAGE_WRONG', { at: '--data' });
  return data;
}

function basesOf({ packageBase = [] }: Options): string[] {
  const wrong = packageBase.find((url) => !httpsUrl.safeParse(url).success);
  if (wrong !== undefined || packageBase.length > 8) throw new TsugiteError('USAGE_WRONG', { at: `--package-base ${wrong ?? '…'}` });
  return packageBase;
}

/** The file that init wrote counts where no other is named. */
export function configOf({ data, config }: { data?: string; config?: string }): string | undefined {
  if (config !== undefined) return config;
  const own = join(data ?? '', 'config.json');
  return data !== undefined && existsSync(own) ? own : undefined;
}

function withChoices(config: ServerConfig, publicHost: string | undefined, name: string | undefined): ServerConfig {
  return {
    ...config,
    gateways: { ...config.gateways, publicHost: publicHost ?? config.gateways.publicHost },
    operator: { ...config.operator, name: name ?? config.operator.name },
  };
}

function choicesAsFile({ gateways: { publicHost }, operator: { name } }: ServerConfig): string {
  return `${JSON.stringify({ gateways: { publicHost }, operator: { name } }, null, 2)}\n`;
}

/** pki mosquitto, pki nginx, pki crl: what programs that are not ours need to hold our rules. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { TsugiteError } from '../../protocol/errors.ts';
import type * as OutsidePrograms from '../compose/outside-programs.ts';
import { loadConfig } from '../config.ts';
import { configOf, dataOf } from './local-verbs.ts';
import type { Verbs } from './program.ts';

type Options = {
  data?: string;
  config?: string;
  out: string;
  place?: string;
  listen?: string;
  serverListen: string;
  account: string;
  state: string;
};

type NginxOptions = {
  data?: string;
  config?: string;
  out: string;
  place?: string;
  listen?: string;
  packagesListen: string;
  socket: string;
};

/** Written into configuration files as it is: nothing that could begin a line or a section of its own. */
const plain = /^[\w./-]+$/;

export function addOutsideVerbs({ programs }: { programs: () => Promise<typeof OutsidePrograms> }): (verbs: Verbs) => void {
  return ({ verb, answer, api }) => {
    verb('pki mosquitto', 'write what a mosquitto needs to be the broker of this installation（外部のMQTTブローカーの設定を書き出す）')
      .requiredOption('--out <dir>', 'new folder to write')
      .option('--place <dir>', 'where the folder will lie when mosquitto runs (default: where it is written)')
      .option('--listen <host:port>', 'where gateways connect (default: gateways.mqtt of the configuration)')
      .option('--server-listen <host:port>', 'where this server connects: MQTT_URL is mqtts:// and this', '127.0.0.1:8884')
      .option('--account <name>', 'account of mosquitto', 'mosquitto')
      .option('--state <dir>', 'where mosquitto keeps sessions and retained messages', '/var/lib/mosquitto')
      .action(async (options: Options) => {
        const { mqtt } = loadConfig(configOf(options)).gateways;
        const server = addressOf('--server-listen', options.serverListen);
        const { out, files } = await (await programs()).writeMosquittoFiles(dataOf(options), {
          out: plainOf('--out', options.out),
          place: options.place === undefined ? undefined : plainOf('--place', options.place),
          gateways: options.listen === undefined ? mqtt : addressOf('--listen', options.listen),
          server,
          account: plainOf('--account', options.account),
          state: plainOf('--state', options.state),
        });
        const url = `mqtts://${server.host}:${server.port}`;
        answer({
          value: { out, files, url },
          lines: [`${out}`, ...files.map((name) => `  ${name}`), `MQTT_URL=${url}`, 'docs/operations/brokers.md'],
        });
      });

    verb('pki nginx', "write what an nginx needs to stand in front of the gateways' side（前段のウェブサーバーの設定を書き出す）")
      .requiredOption('--out <dir>', 'new folder to write')
      .option('--place <dir>', 'where the folder will lie when nginx runs (default: where it is written)')
      .option('--listen <host:port>', 'where gateways connect (default: gateways.https of the configuration)')
      .option('--packages-listen <host:port>', 'where packages are given to whoever knows their digest', '0.0.0.0:8444')
      .option('--socket <path>', 'where this server listens: gateways.front.socket of the configuration', '/run/tsugite/gateways.sock')
      .action(async (options: NginxOptions) => {
        const { https } = loadConfig(configOf(options)).gateways;
        const socket = plainOf('--socket', options.socket);
        const { out, files } = await (await programs()).writeNginxFiles(dataOf(options), {
          out: plainOf('--out', options.out),
          place: options.place === undefined ? undefined : plainOf('--place', options.place),
          gateways: options.listen === undefined ? https : addressOf('--listen', options.listen),
          packages: addressOf('--packages-listen', options.packagesListen),
          socket,
        });
        answer({
          value: { out, files, socket },
          lines: [`${out}`, ...files.map((name) => `  ${name}`), `gateways.front.socket = ${socket}`, 'docs/operations/brokers.md'],
        });
      });

    verb('pki crl', 'write the list of revoked gateway certificates, if it is another one than the file has（失効した機器証明書の一覧）')
      .requiredOption('--out <file>', 'file to write, PEM; replaced in one step')
      .action(async ({ out }: { out: string }, command: Command) => {
        const crl = (await api(command).get('/pki/device-crl')) as { number: number; madeAt: string; revoked: number; pem: string };
        const isNew = textOf(out) !== crl.pem;
        if (isNew) replaceFile(out, crl.pem);
        answer({
          value: { out, number: crl.number, madeAt: crl.madeAt, revoked: crl.revoked, isNew },
          lines: [`${out}: ${crl.number} (${crl.madeAt}), ${crl.revoked} 件 / revoked${isNew ? '' : ', 変更なし / unchanged'}`],
        });
      });
  };
}

function plainOf(option: string, text: string): string {
  if (!plain.test(text)) throw new TsugiteError('USAGE_WRONG', { at: `${option} ${text}` });
  return text;
}

function addressOf(option: string, text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^([\w.:-]+|\[[\da-f:.]+\]):(\d{1,5})$/i.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535) throw new TsugiteError('USAGE_WRONG', { at: `${option} ${text}` });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause: error });
  }
}

/** A broker that reads it at the wrong moment finds the old list or the new one, never half of one. */
function replaceFile(path: string, text: string): void {
  const fresh = `${path}.new-${process.pid}`;
  try {
    writeFileSync(fresh, text, { mode: 0o644, flush: true });
    renameSync(fresh, path);
  } catch (cause) {
    rmSync(fresh, { force: true });
    throw new TsugiteError('FILE_UNREADABLE', { path }, { cause });
  }
}

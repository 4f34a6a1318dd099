import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Answer } from '../../protocol/command-output.ts';
import { TsugiteError } from '../../protocol/errors.ts';
import { modelName } from '../../protocol/fields.ts';
import { parseInvitation } from '../../protocol/messages/invitation.ts';
import { startEmulator, wanAddress } from '../emulator/index.ts';

type Options = { invitation: string; model: string; out: string; serverAddress: string };

/**
 * Runs one emulated gateway until it is told to end (Ctrl-C, SIGTERM). A folder that was enrolled before goes on where it stopped.
 *
 * @param onReady  told once, when the gateway runs
 */
export async function emulateGateway(options: Options, onReady: (answer: Answer) => void): Promise<void> {
  const model = modelName.safeParse(options.model);
  if (!model.success) throw new TsugiteError('USAGE_WRONG', { at: '--model (PR-400KI, RT-500MI, …)' });
  if (process.getuid?.() !== 0) throw new TsugiteError('USAGE_WRONG', { at: 'emulate needs root: it makes network namespaces' });
  const invitation = parseInvitation(readFileSync(options.invitation));
  const ports = portsOf(invitation, options.serverAddress);
  const folder = path.resolve(options.out);
  mkdirSync(folder, { recursive: true });

  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const emulator = await startEmulator({ ports });
  try {
    const gateway = await emulator.addGateway({ gateway: invitation.gateway, model: model.data, dataDir: path.join(folder, 'data') });
    await gateway.enroll(path.resolve(options.invitation));
    gateway.start();
    onReady({
      value: {
        gateway: gateway.gateway,
        model: model.data,
        page: `${gateway.pageUrl}/t/`,
        settings: `${gateway.settingsUrl}/`,
        data: gateway.dataDir,
        pid: gateway.agentPid,
      },
      lines: [
        `${gateway.gateway} (${model.data}) が動作しています。終了は Ctrl-C です。 / is running; Ctrl-C ends it.`,
        `  ページ / page: ${gateway.pageUrl}/t/`,
        `  設定 / settings: ${gateway.settingsUrl}/`,
        `  データ / data: ${gateway.dataDir}`,
      ],
    });
    await ended;
  } finally {
    await emulator.stop();
  }
}

/** The server must be invited under the address that emulated gateways see; the connections end at the real one on this machine. */
function portsOf({ https, mqtt }: { https: string; mqtt: string }, host: string): Map<number, { host: string; port: number }> {
  const urls = [new URL(https), new URL(mqtt.replace(/^mqtts:/, 'https:'))];
  for (const url of urls)
    if (url.hostname !== wanAddress)
      throw new TsugiteError('USAGE_WRONG', {
        at: `${url.hostname}: emulated gateways reach ${wanAddress} (tsugite-server init --public-host ${wanAddress})`,
      });
  return new Map(urls.map((url) => [Number(url.port), { host, port: Number(url.port) }]));
}

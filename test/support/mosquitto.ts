/**
 * A real mosquitto, run from exactly the files that `tsugite-server pki mosquitto` writes, under its own account where the tests are root, on loopback
 * and with a folder and a process of its own.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { issueBrokerClient, writeMosquittoFolder } from '../../server/compose/outside-programs.ts';
import type { BrokerAccess } from '../../server/ports/gateways.ts';
import type { Authority } from '../../server/ports.ts';
import { brokerUser } from '../../server/rules/broker-user.ts';
import { aFreePort } from './free-port.ts';
import { aServerIdentity } from './gateway-pki.ts';
import { startListening } from './listening-program.ts';
import { until } from './until.ts';

export type Mosquitto = Awaited<ReturnType<typeof aMosquitto>>;

/** Debian's package makes it. */
export const mosquittoAccount = userInfo().uid === 0 ? 'mosquitto' : userInfo().username;

/** Files as the verb writes them, made for this machine's account. */
async function mosquittoFolder(authorities: { server: Authority; device: Authority }) {
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-mosquitto-'));
  chmodSync(folder, 0o711); // mosquitto's account passes through
  const [files, state] = [path.join(folder, 'files'), path.join(folder, 'state')];
  mkdirSync(state);
  const [port, serverPort] = [await aFreePort(), await aFreePort()];
  await writeMosquittoFolder(
    { deviceCa: authorities.device, serverCaPem: authorities.server.certPem, server: await aServerIdentity(authorities.server) },
    { out: files, place: undefined, gateways: at(port), server: at(serverPort), account: mosquittoAccount, state },
  );
  giveToMosquitto(folder);
  return { folder, files, state, port, serverPort };
}

const at = (port: number) => ({ host: '127.0.0.1', port });

/** `files` and `state` become mosquitto's, as the operator makes them. */
export function giveToMosquitto(folder: string): void {
  for (const name of ['files', 'state']) execFileSync('chown', ['-R', mosquittoAccount, path.join(folder, name)]);
}

/** @param environment  in place of what the shipped unit sets */
export async function aMosquitto(authorities: { server: Authority; device: Authority }, environment: Record<string, string> = {}) {
  const { folder, files, state, port, serverPort } = await mosquittoFolder(authorities);
  const client = await issueBrokerClient(authorities.server, Date.now());
  const access: BrokerAccess = {
    url: `mqtts://127.0.0.1:${serverPort}`,
    clientId: brokerUser,
    caPem: authorities.server.certPem,
    certificate: { certPem: client.certPem, keyPem: client.key.export({ type: 'pkcs8', format: 'pem' }) as string },
  };
  let running = await startMosquitto(files, port, environment);

  const end = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const over = new Promise((resolve) => running.once('exit', resolve));
    running.kill(signal);
    await over;
  };
  return {
    port,
    access,
    files,
    /** @param lose  what it forgets meanwhile: nothing, or everything, as after a disk was lost */
    restart: async (lose: 'nothing' | 'everything' = 'nothing') => {
      await end('SIGTERM');
      if (lose === 'everything') rmSync(path.join(state, 'mosquitto.db'), { force: true });
      running = await startMosquitto(files, port, environment);
    },
    /** Its memory as it is now is what a later crash goes back to. */
    save: async () => {
      rmSync(path.join(state, 'mosquitto.db'), { force: true });
      running.kill('SIGUSR1');
      await until(() => fileBytes(path.join(state, 'mosquitto.db')) > 0, 'mosquitto to save');
    },
    stopProgram: () => end('SIGTERM'),
    crash: () => end('SIGKILL'),
    startProgram: async () => {
      running = await startMosquitto(files, port, environment);
    },
    /** What the timer does. */
    revoke: (crlPem: string) => {
      writeFileSync(path.join(files, 'crl.pem'), crlPem);
      running.kill('SIGHUP');
    },
    pid: () => running.pid,
    stop: async () => {
      if (running.exitCode === null && running.signalCode === null) await end('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export function startMosquitto(files: string, port: number, environment: Record<string, string> = {}): Promise<ChildProcess> {
  return startListening('mosquitto', ['-c', path.join(files, 'mosquitto.conf')], {
    port,
    environment: { OPENSSL_CONF: path.join(files, 'openssl.cnf'), ...environment },
  });
}

function fileBytes(file: string): number {
  try {
    return readFileSync(file).length;
  } catch {
    return 0;
  }
}

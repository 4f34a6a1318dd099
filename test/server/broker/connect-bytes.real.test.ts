/**
 * What one connect of a gateway carries, at either broker, and what it would carry without what we set. Counted are the bytes of the TCP stream, both
 * ways, from the first to CONNACK, with the agent's own TLS socket and its CONNECT; certificates as our authorities issue them. IP and TCP headers
 * come on top. Signatures differ by a few bytes from run to run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { generate } from 'mqtt-packet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTlsSocket } from '../../../agent/adapters/tls-socket.ts';
import { toCompactJson } from '../../../protocol/json.ts';
import { lastWill } from '../../../protocol/messages/presence.ts';
import { publishedByGateway, topicOf } from '../../../protocol/topics.ts';
import { makeAuthority, p256 } from '../../../server/adapters/x509.ts';
import type { Authority } from '../../../server/ports.ts';
import { brokerWorkerFile } from '../../support/broker-worker.ts';
import { aLine } from '../../support/counted-line.ts';
import { anIdentity, aServerIdentity } from '../../support/gateway-pki.ts';
import { aMosquitto, type Mosquitto } from '../../support/mosquitto.ts';

let folder: string;
let authorities: { server: Authority; device: Authority };
let identity: Awaited<ReturnType<typeof anIdentity>>;
let program: string;
const children: ChildProcess[] = [];
const mosquittos: Mosquitto[] = [];

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'tsugite-connect-'));
  // The names that `init` gives, which travel in each handshake.
  authorities = {
    server: await makeAuthority(p256, { commonName: 'Tsugite server CA' }, new Date(0)),
    device: await makeAuthority(p256, { commonName: 'Tsugite device CA' }, new Date(0)),
  };
  identity = await anIdentity(authorities.device, 'gw-tokyo-0001');
  program = path.join(folder, 'broker-alone.mjs');
  const banner = "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";
  await build({
    entryPoints: ['test/support/broker-alone.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    banner: { js: banner },
  });
});
afterAll(async () => {
  for (const child of children) child.kill();
  for (const mosquitto of mosquittos) await mosquitto.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function embedded(options: readonly string[]): Promise<number> {
  const { certPem, keyPem } = await aServerIdentity(authorities.server);
  const settings = {
    listen: { host: '127.0.0.1', port: 0 },
    tls: { key: keyPem, cert: certPem, clientCas: [authorities.device.certPem] },
    maxKeepaliveS: 1800,
    maxConnections: 10,
  };
  const file = path.join(folder, `settings-${children.length}.json`);
  writeFileSync(file, JSON.stringify({ settings, workerFile: fileURLToPath(await brokerWorkerFile()) }));
  const child = spawn(process.execPath, [...options, program, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const [said] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return Number(said);
}

async function mosquitto(environment: Record<string, string> = {}): Promise<number> {
  const started = await aMosquitto(authorities, environment);
  mosquittos.push(started);
  return started.port;
}

type Bytes = { up: number; down: number };

async function connectBytes(port: number): Promise<Bytes> {
  const line = await aLine(port);
  const { tls } = openTlsSocket(
    { host: '127.0.0.1', port: line.port },
    {
      serverCasPem: [authorities.server.certPem],
      client: { privateKeyPem: identity.keyPem, certificatePem: identity.certPem },
    },
  );
  tls.once('secureConnect', () =>
    tls.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clientId: identity.gateway,
        clean: false,
        keepalive: 1680,
        will: { topic: topicOf(identity.gateway, 'presence'), payload: toCompactJson(lastWill), ...publishedByGateway.presence },
      }),
    ),
  );
  const [answer] = (await once(tls, 'data')) as [Buffer];
  expect(answer).toEqual(Buffer.from([0x20, 2, 0, 0]));
  const bytes = line.bytes();
  tls.destroy();
  line.close();
  return bytes;
}

const total = ({ up, down }: Bytes) => up + down;
/** The three ECDSA signatures of a handshake vary by up to three bytes each. */
const isAbout = (bytes: number) => (found: Bytes) => Math.abs(total(found) - bytes) <= 12;

test('both brokers cost a gateway the same for a connect, but for the name of an authority', async () => {
  const own = await connectBytes(await embedded(['--openssl-config=server/broker/openssl.cnf']));
  const other = await connectBytes(await mosquitto());
  expect(own).toSatisfy(isAbout(1_724));
  expect(other).toSatisfy(isAbout(1_684));
});

test('without the OpenSSL configuration that we ship each connect carries session tickets: 157 bytes more, or 1,405', async () => {
  expect(await connectBytes(await embedded([]))).toSatisfy(isAbout(1_724 + 157));
  expect(await connectBytes(await mosquitto({ OPENSSL_CONF: '/dev/null' }))).toSatisfy(isAbout(1_684 + 1_405));
});

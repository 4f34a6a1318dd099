/**
 * What somebody has who stole the operator's server: its certificate, its address, its notice key. A real broker (mosquitto) and a real HTTPS
 * server take the place of ours, so that gateways are told whatever a test wants, over real TLS and under a real signature.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GatewayId } from '../../protocol/fields.ts';
import { parseReport, type Report } from '../../protocol/messages/report.ts';
import { parseGatewayRoute } from '../../protocol/routes.ts';
import { topicOf } from '../../protocol/topics.ts';
import { connectMqtt, type TestClient } from './mqtt-client.ts';
import { until } from './until.ts';

export type StolenServer = {
  readonly noticeKey: KeyObject;
  /** From now on it is fetched by its own digest, or by another one that the test claims. */
  serve(bytes: Buffer, claimed?: string): { sha256: string; bytes: number };
  /** Retained, as every notice. */
  publishNotice(gateway: GatewayId, envelope: Buffer): Promise<void>;
  reports(gateway: GatewayId): Report[];
  stop(): Promise<void>;
};

type Place = { serverData: string; ports: { https: number; mqtt: number }; watcher: { certPem: string; keyPem: string } };

/** @param place.watcher  any certificate of the device CA: the broker asks for one */
export async function aStolenServer({ serverData, ports, watcher }: Place): Promise<StolenServer> {
  const pki = (name: string): string => path.join(serverData, 'pki', name);
  const packages = new Map<string, Buffer>();
  const https = await listen(pki, ports.https, packages);
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-stolen-'));
  const broker = await startMosquitto(folder, pki, ports.mqtt);
  const client = await connectMqtt(ports.mqtt, watcher, readFileSync(pki('server-ca.pem'), 'utf8'), { clientId: 'thief' });
  await client.subscribe({ 'tsugite/1/+/report': { qos: 1 } });
  return {
    noticeKey: createPrivateKey(readFileSync(pki('notice.key.pem'))),
    serve(bytes, claimed) {
      const sha256 = claimed ?? createHash('sha256').update(bytes).digest('hex');
      packages.set(sha256, bytes);
      return { sha256, bytes: bytes.length };
    },
    publishNotice: (gateway, envelope) => client.publish(topicOf(gateway, 'notice'), envelope, { qos: 1, retain: true }),
    reports: (gateway) => reportsOf(client, gateway),
    async stop() {
      await client.end();
      broker.kill();
      https.closeAllConnections();
      await new Promise((resolve) => https.close(resolve));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listen(pki: (name: string) => string, port: number, packages: ReadonlyMap<string, Buffer>): Promise<Server> {
  const server = createServer(
    { cert: readFileSync(pki('server.pem')), key: readFileSync(pki('server.key.pem')), minVersion: 'TLSv1.3' },
    (request, response) => {
      const route = parseGatewayRoute(request.url ?? '');
      const bytes = route?.kind === 'package' ? packages.get(route.sha256) : undefined;
      if (bytes === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    },
  );
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

async function startMosquitto(folder: string, pki: (name: string) => string, port: number): Promise<ChildProcess> {
  const file = path.join(folder, 'mosquitto.conf');
  const lines = [
    `listener ${port} 127.0.0.1`,
    `cafile ${pki('device-ca.pem')}`,
    `certfile ${pki('server.pem')}`,
    `keyfile ${pki('server.key.pem')}`,
    'tls_version tlsv1.3',
    'require_certificate true',
    'allow_anonymous true',
    'user root',
    'persistence false',
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const broker = spawn('mosquitto', ['-c', file], { stdio: 'ignore' });
  process.once('exit', () => broker.kill());
  let isUp = false;
  await until(() => {
    if (!isUp)
      connect(port, '127.0.0.1', () => (isUp = true))
        .on('error', () => {})
        .unref();
    return isUp;
  }, 'mosquitto');
  return broker;
}

function reportsOf({ heard }: TestClient, gateway: GatewayId): Report[] {
  return heard.filter(({ topic }) => topic === topicOf(gateway, 'report')).map(({ payload }) => parseReport(payload));
}

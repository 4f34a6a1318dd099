/**
 * What somebody has who stole the operator's server: its certificate, its address, its notice key. A real broker (mosquitto) and a real HTTPS
 * server take the place of ours, so that gateways are told whatever a test wants, over real TLS and under a real signature.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { GatewayId } from '../../protocol/fields.ts';
import { parseReport, type Report } from '../../protocol/messages/report.ts';
import { topicOf } from '../../protocol/topics.ts';
import { type HostileHttps, listenHostile } from './hostile-https.ts';
import { connectMqtt, type TestClient } from './mqtt-client.ts';
import { until } from './until.ts';

export type StolenServer = HostileHttps & {
  readonly noticeKey: KeyObject;
  /** Retained, as every notice. */
  publishNotice(gateway: GatewayId, envelope: Buffer): Promise<void>;
  reports(gateway: GatewayId): Report[];
  /** The newest birth or last will; undefined before the first. */
  presence(gateway: GatewayId): Buffer | undefined;
  /** A second host with the stolen certificate. */
  openMirror(port: number): Promise<HostileHttps>;
};

type Place = { serverData: string; ports: { https: number; mqtt: number }; watcher: { certPem: string; keyPem: string } };

/** @param place.watcher  any certificate of the device CA: the broker asks for one */
export async function aStolenServer({ serverData, ports, watcher }: Place): Promise<StolenServer> {
  const pki = (name: string): string => path.join(serverData, 'pki', name);
  const tls = {
    cert: readFileSync(pki('server.pem')),
    key: readFileSync(pki('server.key.pem')),
    clientCa: readFileSync(pki('device-ca.pem')),
  };
  const https = await listenHostile(tls, ports.https);
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-stolen-'));
  const broker = await startMosquitto(folder, pki, ports.mqtt);
  const client = await connectMqtt(ports.mqtt, watcher, readFileSync(pki('server-ca.pem'), 'utf8'), { clientId: 'thief' });
  await client.subscribe({ 'tsugite/1/+/report': { qos: 1 }, 'tsugite/1/+/presence': { qos: 1 } });
  return {
    ...https,
    noticeKey: createPrivateKey(readFileSync(pki('notice.key.pem'))),
    publishNotice: (gateway, envelope) => client.publish(topicOf(gateway, 'notice'), envelope, { qos: 1, retain: true }),
    reports: (gateway) => reportsOf(client, gateway),
    presence: (gateway) => client.heard.findLast(({ topic }) => topic === topicOf(gateway, 'presence'))?.payload,
    openMirror: (port) => listenHostile(tls, port),
    async stop() {
      await client.end();
      broker.kill();
      await https.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
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

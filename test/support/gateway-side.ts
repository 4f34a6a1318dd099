/** The whole gateways' side for tests: real PostgreSQL, real broker, real TLS, real package files; only the clock can be moved. */
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { keyidOf, parseEnvelope, verifyEnvelope } from '../../protocol/dsse.ts';
import type { GatewayId, RandomId } from '../../protocol/fields.ts';
import { signStatement } from '../../protocol/signing.ts';
import { type Notice, noticeType, parseNotice } from '../../protocol/statements/notice.ts';
import type { Connection } from '../../server/adapters/database.ts';
import { openPackageFiles } from '../../server/adapters/package-files.ts';
import { systemRandom } from '../../server/adapters/random.ts';
import { makeTurn } from '../../server/adapters/turn.ts';
import { makeGatewaySide } from '../../server/compose/gateway-side.ts';
import { markNoticeDue } from '../../server/flows/notice-due.ts';
import type { Clock, GatewaySide, GatewaySideParts, Log } from '../../server/ports.ts';
import { eligibilityCatalogues } from '../../server/rules/eligibility-catalogue.ts';
import { brokerWorkerFile } from './broker-worker.ts';
import { anAuthority, anIdentity, aServerIdentity } from './gateway-pki.ts';
import { insertCertificate, insertGateway, insertInvitation, insertRoot, insertTarget, type WantedSoftware } from './gateway-rows.ts';
import { aMosquitto, type Mosquitto } from './mosquitto.ts';
import { aNginx, openToNginx } from './nginx.ts';
import { aDatabase } from './postgres.ts';

export type LogLine = { event: string; [field: string]: unknown };
export type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: Buffer };
export type ClientIdentity = { certPem: string; keyPem: string };

export type GatewaySideRig = Awaited<ReturnType<typeof aGatewaySide>>;

export const brokers = ['embedded', 'mosquitto'] as const;

export const fronts = ['server', 'nginx'] as const;

/**
 * @param broker  the server's own, or a mosquitto as we ship its configuration
 * @param front   who does the gateways' HTTPS: the server itself, or an nginx as we ship its configuration
 */
export async function aGatewaySide({ broker = 'embedded' as (typeof brokers)[number], front = 'server' as (typeof fronts)[number] } = {}) {
  const { db, connection, stop: stopDatabase } = await aDatabase();
  const folder = mkdtempSync(path.join(tmpdir(), 'tsugite-gateways-'));
  const serverCa = await anAuthority('test server CA');
  const deviceCa = await anAuthority('test device CA');
  const mosquitto = broker === 'mosquitto' ? await aMosquitto({ server: serverCa, device: deviceCa }) : undefined;
  const noticeKey = generateKeyPairSync('ed25519').privateKey;
  const lines: LogLine[] = [];
  const clock = movableClock();
  const log: Log = {
    info: (event, fields) => void lines.push({ event, ...fields }),
    warn: (event, fields) => void lines.push({ event, ...fields }),
    error: (event, fields) => void lines.push({ event, ...fields }),
  };
  const packagesDir = path.join(folder, 'packages');
  const packages = await openPackageFiles(packagesDir, systemRandom);
  const tls = await aServerIdentity(serverCa);
  chmodSync(folder, 0o711);
  const socket = path.join(folder, 'socket', 'gateways.sock');
  if (front === 'nginx') openToNginx(path.dirname(socket), packagesDir);
  const nginx = front === 'nginx' ? await aNginx(tls, { store: packagesDir, socket }) : undefined;
  const parts: GatewaySideParts = {
    db,
    clock,
    random: systemRandom,
    log,
    packages,
    signer: { keyid: keyidOf(noticeKey), sign: (type, statement) => signStatement(type, statement, [noticeKey]) },
    catalogue: eligibilityCatalogues.seed,
    deviceCa,
    tls,
    serverCas: [serverCa.certPem],
    bundlesDir: path.join(folder, 'bundles'),
    settings: {
      https: { host: '127.0.0.1', port: nginx?.port ?? 0 },
      ...(nginx && { frontSocket: socket }),
      mqtt: { host: '127.0.0.1', port: 0 },
      policy: {
        keepaliveS: 1680,
        jitterS: 3600,
        probationS: 60,
        budget: { targetBytes: 3_000_000, alarmBytes: 4_000_000, ceilingBytes: 5_000_000 },
        telemetryBytesPerMonth: 100_000,
        dataGraceDays: 30,
      },
    },
  };
  const workerFile = await brokerWorkerFile();
  /** One server process; with an outside broker there may be several. */
  const aProcess = (more: Partial<GatewaySideParts> = {}): GatewaySide =>
    makeGatewaySide({ ...parts, ...(mosquitto && outsideBroker(mosquitto, connection, { clock, log })), ...more }, workerFile);
  let side = aProcess();
  await insertRoot(db, serverCa, noticeKey, clock.nowMs());
  let ports = await side.start();
  const startServer = async () => {
    const { https, mqtt } = parts.settings;
    side = aProcess({
      settings: { ...parts.settings, https: { ...https, port: ports.httpsPort }, mqtt: { ...mqtt, port: ports.mqttPort } },
    });
    ports = await side.start();
  };
  const rigRestart = async () => {
    await side.stop();
    await startServer();
  };

  return {
    db,
    clock,
    lines,
    serverCa,
    deviceCa,
    noticeKey,
    signer: parts.signer,
    policy: parts.settings.policy,
    packagesDir,
    nginx,
    mosquitto,
    connection,
    ports: () => ports,
    /** A second server process over the same database, as it would stand beside the first. */
    anotherProcess: (ownLog: Log = log) =>
      aProcess({ log: ownLog, ...(mosquitto && outsideBroker(mosquitto, connection, { clock, log: ownLog })) }),
    /** The broker goes away and comes back; the embedded one is part of the server. */
    restartBroker: async (lose: 'nothing' | 'everything' = 'nothing') => {
      if (mosquitto === undefined) return rigRestart();
      await mosquitto.restart(lose);
    },
    /** Ends the gateways' side and starts it anew on the same ports and database. */
    restart: rigRestart,
    stopServer: () => side.stop(),
    startServer,
    stop: async () => {
      await side.stop();
      await mosquitto?.stop();
      await nginx?.stop();
      await stopDatabase();
      rmSync(folder, { recursive: true, force: true });
    },
    /** One HTTPS request to the gateways' side. */
    ask: (method: string, url: string, options: { as?: ClientIdentity; headers?: Record<string, string>; body?: string | Buffer } = {}) =>
      httpsRequest(ports.httpsPort, serverCa.certPem, method, url, options),
    aGateway: (name: string, model = 'PR-500KI') => insertGateway(db, name, model, clock.nowMs()),
    /** A certificate of ours without the way through EST. */
    anIdentity: async (gateway: GatewayId) => {
      const identity = await anIdentity(deviceCa, gateway);
      await insertCertificate(db, gateway, identity.serial);
      return identity;
    },
    /** What the people's side does after a change: the row says due, the notification wakes. */
    wake: (gateway: GatewayId) => db.tx((sql) => markNoticeDue(sql, { gateways: [gateway] }, clock.nowMs())),
    /** The newest notice in the database, proven with the notice key. */
    newestNotice: async (gateway: GatewayId) => {
      const [row] = await db.query<{ envelope: Buffer }>(
        'SELECT envelope FROM notices WHERE gateway_id = $1 ORDER BY version DESC LIMIT 1',
        [gateway],
      );
      return row === undefined ? undefined : openNotice(row.envelope, noticeKey);
    },
    openNotice: (envelope: Buffer) => openNotice(envelope, noticeKey),
    invite: (gateway: GatewayId) => insertInvitation(db, gateway, clock.nowMs()),
    aTarget: (site: RandomId, wanted: Partial<WantedSoftware> = {}) => insertTarget(db, packagesDir, site, wanted, clock.nowMs()),
  };
}

function outsideBroker({ access, port }: Mosquitto, connection: Connection, { clock, log }: { clock: Clock; log: Log }) {
  return { broker: { access, publicPort: port, turn: makeTurn({ connection, clock, log }) } };
}

function movableClock(): Clock & { offsetMs: number } {
  const clock = {
    offsetMs: 0,
    nowMs: () => Date.now() + clock.offsetMs,
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  return clock;
}

function openNotice(envelope: Buffer, noticeKey: KeyObject): Notice {
  return parseNotice(verifyEnvelope(parseEnvelope(envelope), noticeType, new Map([[keyidOf(noticeKey), createPublicKey(noticeKey)]]), 1));
}

/** One HTTPS request on a connection of its own. */
export function httpsRequest(
  port: number,
  ca: string,
  method: string,
  url: string,
  { as, headers = {}, body }: { as?: ClientIdentity; headers?: Record<string, string>; body?: string | Buffer },
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const identity = as === undefined ? {} : { cert: as.certPem, key: as.keyPem };
    const sent = request({ host: '127.0.0.1', port, path: url, method, ca, agent: false, headers, ...identity }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
